"""Pictures on disk, as pixels or as features of a frozen encoder."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasseq.data.store import ExampleStore, Format
from kerasseq.preprocessing.captioning import CaptionPreprocessor
from kerasseq.preprocessing.padding import pad_ragged


class FrozenEncoder(NamedTuple):
    """An encoder that no training changes, so that a store can keep its features.

    Attributes:
        function: maps the result of `CaptionPreprocessor.features` to values (N, S, D) and a mask
            (N, S), True = real. The values are stored as float16. N is always `rows`, so that the
            function compiles once for each number of frames; some rows can be copies that only
            fill the batch.
        digest: distinguishes the encoder from others: the backbone, its weights and its pooling.
        rows: the number of pictures in a call.

    Example:

    >>> import numpy as np
    >>> from kerasseq.data import FrozenEncoder
    >>> def mean_colour(features):
    ...     return features["values"].mean(axis=(2, 3)), features["mask"]
    >>> encoder = FrozenEncoder(mean_colour, "mean colour", rows=2)
    >>> clips = {"values": np.ones((2, 1, 8, 8, 3)), "mask": np.ones((2, 1), bool)}
    >>> encoder.function(clips)[0].shape
    (2, 1, 3)
    """

    function: Callable[[dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]
    digest: str
    rows: int = 32


class PictureStore(ExampleStore):
    """The frames (uint8) or features (float16) and the captions of N pictures, on disk.

    Only lengths are in memory: 12 bytes for each picture and 8 for each caption. `build` leaves out
    captions that are empty after normalisation or have more than `max_target_length` pieces.

    `build` has the option `encoder`: a `FrozenEncoder`, whose features the store keeps instead of
    pixels. Threads decode while it runs.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the preprocessor that the store was built with.

    Attributes:
        problems: the entries of the corpus that were left out.
        unknown: the units of the captions that are not in the vocabulary.
        starts: (N + 1,) int64; picture i has the captions `starts[i]` to `starts[i + 1]`.

    Example:

    >>> import numpy as np
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from kerasseq.data import PictureCorpus, PictureStore
    >>> from kerasseq.preprocessing import CaptionPreprocessor
    >>> Image.fromarray(np.zeros((20, 30, 3), "uint8")).save("a.png")
    >>> Path("list.tsv").write_text("a.png\\ta black picture\\na.png\\tnight\\n")
    34
    >>> corpus = PictureCorpus("list.tsv")
    >>> preprocessor = CaptionPreprocessor.learn(corpus.texts(), size=(8, 8))
    >>> store = PictureStore.build("store", corpus, preprocessor)
    >>> len(store), store.references([0])
    (1, [['a black picture', 'night']])
    >>> store.features([0])["values"].shape
    (1, 1, 8, 8, 3)
    """

    example, text = "picture", "caption"

    @classmethod
    def _format(
        cls, preprocessor: CaptionPreprocessor, encoder: FrozenEncoder | None = None
    ) -> Format:
        form = Format((preprocessor.size, preprocessor.frames), "uint8")
        if encoder is None:
            return form
        return form._replace(
            dtype="float16",
            convert=lambda clips: _features(clips, preprocessor, encoder),
            group_size=encoder.rows,
            name=encoder.digest,
        )

    @property
    def encoded(self) -> bool:
        """Whether the store has features instead of pixels."""
        return self._meta["dtype"] == "float16"

    @property
    def counts(self) -> np.ndarray:
        """The number of captions of each picture: (N,)."""
        return np.diff(self.starts)

    def lengths(self) -> np.ndarray:
        """Returns the number of frames of each picture, or of steps of its features: (N,) int32."""
        return self._values.lengths

    def caption_lengths(self) -> np.ndarray:
        """Returns the number of labels of each caption: (captions,) int32."""
        return self._targets.lengths

    def features(self, indices: np.ndarray, width: int | None = None) -> dict[str, np.ndarray]:
        """Returns "values" and "mask" (n, width) bool of some pictures, padded with zeros.

        The values are frames (n, width, H, W, 3) uint8, or features (n, width, D) float16.

        Args:
            indices: of the pictures.
            width: the number of frames or steps; None takes that of the longest picture.
        """
        rows = self._values.take(np.asarray(indices))
        width = int(rows.lengths.max(initial=1)) if width is None else width
        mask = np.arange(width) < rows.lengths[:, None]
        return {"values": pad_ragged(rows, width), "mask": mask}


def _features(clips, preprocessor, encoder) -> list[np.ndarray]:
    """Returns the features of some pictures, each (S, D) float16."""
    filling = [clips[0]] * (encoder.rows - len(clips))
    values, mask = encoder.function(preprocessor.pad_clips([*clips, *filling]))
    values, mask = np.asarray(values), np.asarray(mask, bool)
    return [values[row][mask[row]].astype(np.float16) for row in range(len(clips))]
