"""The batches of recordings as Keras reads them."""

import keras
import numpy as np

from kerasseq.data.plan import BatchPlan
from kerasseq.data.sound.store import FRAMES, SoundStore, check_speeds
from kerasseq.media.sound import resampled


def sound_plan(
    store: SoundStore,
    *,
    seconds: float = 100.0,
    speeds: tuple[float, ...] = (1.0,),
    seed: int = 0,
    rows: int = 1024,
    shapes: int = 8,
) -> BatchPlan:
    """Batches of at most so many `seconds` of sound, padding included, for `SoundBatches`.

    Lengths are counted in frames of 10 ms, and leave room for the slowest of `speeds`.
    """
    return BatchPlan(
        store.frames(min(check_speeds(speeds))),
        store.target_lengths(),
        seed=seed,
        tokens=int(seconds * FRAMES),
        rows=rows,
        shapes=shapes,
    )


class SoundBatches(keras.utils.PyDataset):
    """({"values", "mask", "tokens"}, labels, weights) of each batch of an epoch.

    "values" (N, samples) int16, "mask" (N, samples) bool, labels (N, U) int32, weights (N, U)
    float32; "tokens" (N, U) int32 if labels end with eos, else (N, U + 1): bos and all labels
    (see `SpeechPreprocessor.targets`). Rows that only fill the shape have weights of 0. Batch i
    depends on the plan, the epoch, i and the options alone.

    Args:
        store: the recordings.
        plan: what `sound_plan` made of them with the same `speeds`.
        speeds: each recording is played at one of them, drawn for (seed, epoch, recording); see
            `resampled`.
        gain: each recording is made up to so many decibels louder or softer, clipped; drawn
            likewise.
        epoch: to begin with; `on_epoch_end` goes on to the next.
    """

    def __init__(
        self,
        store: SoundStore,
        plan: BatchPlan,
        *,
        speeds: tuple[float, ...] = (1.0,),
        gain: float = 0.0,
        epoch: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.store, self.plan = store, plan
        self.speeds, self.gain = check_speeds(speeds), gain
        self.start(epoch)

    def start(self, epoch: int) -> None:
        """Go to the beginning of an epoch."""
        self.epoch = self.plan.epoch(epoch)

    def on_epoch_end(self) -> None:
        self.start(self.epoch.number + 1)

    def __len__(self) -> int:
        return len(self.epoch)

    def __getitem__(self, index: int):
        indices, real, shape = self.epoch[index]
        preprocessor = self.store.preprocessor
        width = -(-shape.source * preprocessor.rate // FRAMES)
        values = np.zeros((len(indices), width), np.int16)
        lengths = np.zeros(len(indices), np.int64)
        sounds = self.store.sounds(indices)
        for row, (example, sound) in enumerate(zip(indices, sounds, strict=True)):
            samples = self._changed(int(example), sound)[:width]
            lengths[row] = len(samples)
            values[row, : len(samples)] = samples
        labels = self.store.labels(indices, shape.target)
        tokens, labels, weights = preprocessor.inputs(labels)
        weights[real:] = 0
        mask = np.arange(width) < lengths[:, None]
        return {"values": values, "mask": mask, "tokens": tokens}, labels, weights

    def _changed(self, example: int, samples: np.ndarray) -> np.ndarray:
        if self.speeds == (1.0,) and not self.gain:
            return samples
        rng = np.random.default_rng((self.plan.seed, self.epoch.number, example))
        samples = resampled(samples, self.speeds[rng.integers(len(self.speeds))])
        if self.gain:
            factor = 10 ** (rng.uniform(-self.gain, self.gain) / 20)
            samples = np.clip(np.round(samples * factor), -32768, 32767).astype(np.int16)
        return samples
