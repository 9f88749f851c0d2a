"""The batches of pictures as Keras reads them."""

import keras
import numpy as np

from kerasseq.data.pictures.store import PictureStore
from kerasseq.data.plan import BatchPlan
from kerasseq.errors import UserError


def picture_plan(
    store: PictureStore,
    *,
    rows: int = 64,
    seed: int = 0,
    shapes: int = 4,
    every: bool = False,
) -> BatchPlan:
    """Batches of `rows` pictures, for `PictureBatches`.

    Captions of a batch have much the same length, of a picture's captions the longest one's.

    Args:
        shapes: distinct shapes at most. With 1, captions of all lengths are mixed, as a network
            needs that trains with batch normalisation: else the mean and variance of a batch tell
            it the length of what is to be written, which it will not be told in use.
        every: an example is not a picture but one of its captions.
    """
    frames, labels = store.lengths(), store.target_lengths()
    if every:
        frames, labels = np.repeat(frames, store.counts), store.caption_lengths()
    # So many that `rows` alone limits a batch; the plan rounds lengths up, by at most 3 or an 8th.
    steps = 4 + 2 * int(max(frames.max(), labels.max()))
    return BatchPlan(frames, labels, seed=seed, tokens=rows * steps, rows=rows, shapes=shapes)


class PictureBatches(keras.utils.PyDataset):
    """({"values", "mask", "tokens"}, labels, weights) of each batch of an epoch.

    "values" (N, F, H, W, 3) uint8 or (N, S, D) float16 and "mask" (N, F) or (N, S) bool, as in
    the store; "tokens" and labels (N, T) int32, weights (N, T) float32. Rows that only fill the
    shape have weights of 0. Batch i depends on the plan, the epoch, i and the options alone.

    Of a picture's captions one is drawn for (seed, epoch, picture), so that in as many epochs as
    there are captions each is drawn once.

    Args:
        store: the pictures.
        plan: what `picture_plan` made of them with the same `every`.
        every: go through all captions of each picture, as for a loss on validation.
        flip: mirror a picture, or a whole clip, at every other draw; left is right then, which
            captions must not speak of.
        shift: pixels, at most, by which a picture is moved up or down and to either side, its
            border repeated; drawn likewise.
        epoch: to begin with; `on_epoch_end` goes on to the next.

    Raises:
        UserError: to flip or shift what the store keeps as features.
    """

    def __init__(
        self,
        store: PictureStore,
        plan: BatchPlan,
        *,
        every: bool = False,
        flip: bool = False,
        shift: int = 0,
        epoch: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if store.encoded and (flip or shift):
            raise UserError(
                "Pictures cannot be flipped or shifted once they are features: keep the pixels, "
                "or leave flip and shift out."
            )
        self.store, self.plan, self.every = store, plan, every
        self.flip, self.shift = flip, shift
        self._most, self._counts = int(store.lengths().max()), store.counts
        self.start(epoch)

    def start(self, epoch: int) -> None:
        """Go to the beginning of an epoch."""
        self.epoch = self.plan.epoch(epoch)

    def on_epoch_end(self) -> None:
        self.start(self.epoch.number + 1)

    def __len__(self) -> int:
        return len(self.epoch)

    def pictures(self, index: int) -> np.ndarray:
        """(N,) which of the store's pictures the rows of a batch are."""
        indices = self.epoch[index].indices
        if self.every:
            return np.searchsorted(self.store.starts, indices, side="right") - 1
        return indices

    def __getitem__(self, index: int):
        indices, real, shape = self.epoch[index]
        pictures = self.pictures(index)
        # The plan rounds up to fours, which for a single frame is four times the work.
        features = self.store.features(pictures, min(shape.source, self._most))
        if self.flip or self.shift:
            for example, clip in zip(indices.tolist(), features["values"], strict=True):
                clip[:] = self._changed(example, clip)
        captions = indices if self.every else self._drawn(pictures)
        labels = self.store.labels(captions, shape.target)
        tokens, labels, weights = self.store.preprocessor.inputs(labels)
        weights[real:] = 0
        return {**features, "tokens": tokens}, labels, weights

    def _drawn(self, pictures: np.ndarray) -> np.ndarray:
        """A caption of each picture: in every round of epochs, in another order."""
        return np.array([self._caption(picture) for picture in pictures.tolist()], np.int64)

    def _caption(self, picture: int) -> int:
        count = int(self._counts[picture])
        round_, place = divmod(self.epoch.number, count)
        order = np.random.default_rng((self.plan.seed, picture, round_)).permutation(count)
        return int(self.store.starts[picture] + order[place])

    def _changed(self, example: int, clip: np.ndarray) -> np.ndarray:
        """A clip (F, H, W, 3), all its frames moved alike."""
        rng = np.random.default_rng((self.plan.seed, self.epoch.number, example))
        down, right = rng.integers(-self.shift, self.shift + 1, 2)
        if self.flip and rng.integers(2):
            clip = clip[:, :, ::-1]
        height, width = clip.shape[1:3]
        clip = clip.take(np.arange(height) - down, axis=1, mode="clip")
        return clip.take(np.arange(width) - right, axis=2, mode="clip")
