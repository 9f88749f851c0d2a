"""The batches of recordings, as Keras reads them."""

import numpy as np

from kerasseq.data.batches import PlannedBatches
from kerasseq.data.plan import BatchPlan
from kerasseq.data.sound.store import FRAMES, SoundStore, check_speeds
from kerasseq.media.sound import change_speed


def sound_plan(
    store: SoundStore,
    *,
    seconds: float = 100.0,
    speeds: tuple[float, ...] = (1.0,),
    seed: int = 0,
    rows: int = 1024,
    shapes: int = 8,
) -> BatchPlan:
    """Returns a plan for `SoundBatches`; its lengths are in frames of 10 ms.

    Args:
        store: the recordings.
        seconds: the most sound in a batch, padding included.
        speeds: the speeds of `SoundBatches`; the lengths are those at the slowest one.
        seed: of the shuffles.
        rows: the most recordings in a batch.
        shapes: the most distinct shapes.

    Example:

    >>> import numpy as np
    >>> import soundfile
    >>> from pathlib import Path
    >>> from kerasseq.data import RecordingCorpus, SoundStore, sound_plan
    >>> from kerasseq.preprocessing import SpeechPreprocessor
    >>> soundfile.write("a.wav", np.zeros(8000, "int16"), 8000)
    >>> Path("list.tsv").write_text("a.wav\\tyes\\n")
    10
    >>> corpus = RecordingCorpus("list.tsv")
    >>> preprocessor = SpeechPreprocessor.learn(corpus.texts(), rate=8000)
    >>> store = SoundStore.build("store", corpus, preprocessor)
    >>> sound_plan(store).shapes
    [Shape(rows=1, source=104, target=4)]
    """
    return BatchPlan(
        store.frames(min(check_speeds(speeds))),
        store.target_lengths(),
        seed=seed,
        tokens=int(seconds * FRAMES),
        rows=rows,
        shapes=shapes,
    )


class SoundBatches(PlannedBatches):
    """({"values", "mask", "tokens"}, labels, weights) of each batch of an epoch of recordings.

    - "values": (N, samples) int16
    - "mask": (N, samples) bool, True = real
    - "tokens": (N, U) int32 if labels end with eos, else (N, U + 1); see
      `SpeechPreprocessor.targets`
    - labels: (N, U) int32
    - weights: (N, U) float32, 0 for rows that only fill the shape

    Batch i depends on the plan, the epoch, i and the options alone. The speed and the gain of a
    recording depend on (seed, epoch, recording).

    Args:
        store: the recordings.
        plan: the plan that `sound_plan` made of the store with the same `speeds`.
        speeds: each recording is played at one of these speeds; see `change_speed`.
        gain: each recording is made up to this many decibels louder or softer, and clipped.
        epoch: the first epoch; `on_epoch_end` goes on to the next one.

    Example:

    >>> import numpy as np
    >>> import soundfile
    >>> from pathlib import Path
    >>> from kerasseq.data import RecordingCorpus, SoundBatches, SoundStore, sound_plan
    >>> from kerasseq.preprocessing import SpeechPreprocessor
    >>> soundfile.write("a.wav", np.zeros(8000, "int16"), 8000)
    >>> Path("list.tsv").write_text("a.wav\\tyes\\n")
    10
    >>> corpus = RecordingCorpus("list.tsv")
    >>> preprocessor = SpeechPreprocessor.learn(corpus.texts(), rate=8000)
    >>> store = SoundStore.build("store", corpus, preprocessor)
    >>> inputs, labels, weights = SoundBatches(store, sound_plan(store))[0]
    >>> inputs["values"].shape, int(inputs["mask"].sum())
    ((1, 8320), 8000)
    >>> preprocessor.detokenize(labels)
    ['yes']
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
        super().__init__(store, plan, epoch, **kwargs)
        self.speeds, self.gain = check_speeds(speeds), gain

    def __getitem__(self, index: int):
        indices, real, shape = self.epoch[index]
        width = -(-shape.source * self.store.preprocessor.rate // FRAMES)
        values = np.zeros((len(indices), width), np.int16)
        lengths = np.zeros(len(indices), np.int64)
        sounds = self.store.sounds(indices)
        for row, (example, sound) in enumerate(zip(indices, sounds, strict=True)):
            samples = self._perturb(int(example), sound)[:width]
            lengths[row] = len(samples)
            values[row, : len(samples)] = samples
        tokens, labels, weights = self.targets(self.store.labels(indices, shape.target), real)
        mask = np.arange(width) < lengths[:, None]
        return {"values": values, "mask": mask, "tokens": tokens}, labels, weights

    def _perturb(self, example: int, samples: np.ndarray) -> np.ndarray:
        if self.speeds == (1.0,) and not self.gain:
            return samples
        rng = self.generator(example)
        samples = change_speed(samples, self.speeds[rng.integers(len(self.speeds))])
        if self.gain:
            factor = 10 ** (rng.uniform(-self.gain, self.gain) / 20)
            samples = np.clip(np.round(samples * factor), -32768, 32767).astype(np.int16)
        return samples
