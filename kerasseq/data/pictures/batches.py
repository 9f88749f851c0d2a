"""The batches of pictures, as Keras reads them."""

import numpy as np

from kerasseq.data.batches import PlannedBatches
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
    """Returns a plan for `PictureBatches`: the captions of a batch have similar lengths.

    The length of a picture's longest caption counts.

    Args:
        store: the pictures.
        rows: the number of pictures in a batch.
        seed: of the shuffles.
        shapes: the most distinct shapes. With 1, captions of all lengths are mixed. A network that
            trains with batch normalisation needs that: otherwise the mean and the variance of a
            batch reveal the length of the captions, which are not known in inference.
        every: whether each caption of a picture is an example, instead of each picture.

    Example:

    >>> import numpy as np
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from kerasseq.data import PictureCorpus, PictureStore, picture_plan
    >>> from kerasseq.preprocessing import CaptionPreprocessor
    >>> Image.fromarray(np.zeros((20, 30, 3), "uint8")).save("a.png")
    >>> Path("list.tsv").write_text("a.png\\ta black picture\\na.png\\tnight\\n")
    34
    >>> corpus = PictureCorpus("list.tsv")
    >>> preprocessor = CaptionPreprocessor.learn(corpus.texts(), size=(8, 8))
    >>> store = PictureStore.build("store", corpus, preprocessor)
    >>> picture_plan(store).shapes
    [Shape(rows=1, source=4, target=4)]
    >>> picture_plan(store, every=True).shapes
    [Shape(rows=2, source=4, target=4)]
    """
    frames, labels = store.lengths(), store.target_lengths()
    if every:
        frames, labels = np.repeat(frames, store.counts), store.caption_lengths()
    # So many that `rows` alone limits a batch; the plan rounds lengths up, by at most 3 or an 8th.
    steps = 4 + 2 * int(max(frames.max(), labels.max()))
    return BatchPlan(frames, labels, seed=seed, tokens=rows * steps, rows=rows, shapes=shapes)


class PictureBatches(PlannedBatches):
    """({"values", "mask", "tokens"}, labels, weights) of each batch of an epoch of pictures.

    - "values": (N, F, H, W, 3) uint8 or (N, S, D) float16, as in the store
    - "mask": (N, F) or (N, S) bool, True = real
    - "tokens", labels: (N, T) int32
    - weights: (N, T) float32, 0 for rows that only fill the shape

    Batch i depends on the plan, the epoch, i and the options alone. One caption of each picture is
    drawn for (seed, epoch, picture), so that a picture with k captions has each of them once in
    k epochs.

    Args:
        store: the pictures.
        plan: the plan that `picture_plan` made of the store with the same `every`.
        every: whether all captions of each picture are examples, as for a validation loss.
        flip: whether a picture, or a whole clip, is mirrored at every other draw. Left and right
            change places, so captions must not name them.
        shift: the most pixels by which a picture moves up or down and to either side; its border
            is repeated.
        epoch: the first epoch; `on_epoch_end` goes on to the next one.

    Raises:
        UserError: if `flip` or `shift` is set and the store has features.

    Example:

    >>> import numpy as np
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from kerasseq.data import PictureBatches, PictureCorpus, PictureStore, picture_plan
    >>> from kerasseq.preprocessing import CaptionPreprocessor
    >>> Image.fromarray(np.zeros((20, 30, 3), "uint8")).save("a.png")
    >>> Path("list.tsv").write_text("a.png\\ta black picture\\na.png\\tnight\\n")
    34
    >>> corpus = PictureCorpus("list.tsv")
    >>> preprocessor = CaptionPreprocessor.learn(corpus.texts(), size=(8, 8))
    >>> store = PictureStore.build("store", corpus, preprocessor)
    >>> batches = PictureBatches(store, picture_plan(store), flip=True)
    >>> inputs, labels, weights = batches[0]
    >>> inputs["values"].shape
    (1, 1, 8, 8, 3)
    >>> first = preprocessor.detokenize(labels)
    >>> batches.on_epoch_end()
    >>> sorted(first + preprocessor.detokenize(batches[0][1]))
    ['a black picture', 'night']
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
        super().__init__(store, plan, epoch, **kwargs)
        if store.encoded and (flip or shift):
            raise UserError(
                "Pictures cannot be flipped or shifted once they are features: keep the pixels, "
                "or leave flip and shift out."
            )
        self.every, self.flip, self.shift = every, flip, shift
        self._max_frames, self._counts = int(store.lengths().max()), store.counts

    def pictures(self, index: int) -> np.ndarray:
        """Returns the indices (N,) in the store of the pictures of a batch."""
        indices = self.epoch[index].indices
        if self.every:
            return np.searchsorted(self.store.starts, indices, side="right") - 1
        return indices

    def __getitem__(self, index: int):
        indices, real, shape = self.epoch[index]
        pictures = self.pictures(index)
        # The plan rounds up to fours, which for a single frame is four times the work.
        features = self.store.features(pictures, min(shape.source, self._max_frames))
        if self.flip or self.shift:
            for example, clip in zip(indices.tolist(), features["values"], strict=True):
                clip[:] = self._move(example, clip)
        captions = indices if self.every else self._draw_captions(pictures)
        tokens, labels, weights = self.targets(self.store.labels(captions, shape.target), real)
        return {**features, "tokens": tokens}, labels, weights

    def _draw_captions(self, pictures: np.ndarray) -> np.ndarray:
        """Returns a caption of each picture: in every round of epochs, in another order."""
        return np.array([self._draw_caption(picture) for picture in pictures.tolist()], np.int64)

    def _draw_caption(self, picture: int) -> int:
        count = int(self._counts[picture])
        round_, place = divmod(self.epoch.number, count)
        order = np.random.default_rng((self.plan.seed, picture, round_)).permutation(count)
        return int(self.store.starts[picture] + order[place])

    def _move(self, example: int, clip: np.ndarray) -> np.ndarray:
        """Returns a clip (F, H, W, 3) flipped and shifted, all its frames alike."""
        rng = self.generator(example)
        down, right = rng.integers(-self.shift, self.shift + 1, 2)
        if self.flip and rng.integers(2):
            clip = clip[:, :, ::-1]
        height, width = clip.shape[1:3]
        clip = clip.take(np.arange(height) - down, axis=1, mode="clip")
        return clip.take(np.arange(width) - right, axis=2, mode="clip")
