"""Pictures and captions to the arrays of a captioner, and ids back to text."""

import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from kerasseq.checks import Size, checked
from kerasseq.errors import UserError
from kerasseq.media.picture import read_picture, resize_clip
from kerasseq.preprocessing.normalization import CAPTION
from kerasseq.preprocessing.target_text import TargetTextPreprocessor
from kerasseq.preprocessing.tokenizer import Kind, Tokenizer
from kerasseq.serialization import register

Picture = str | os.PathLike | np.ndarray

_THREADS = 4

# Of a clip: 64 frames of 512 x 512.
_MOST_PIXELS = 1 << 24


@register()
class CaptionPreprocessor(TargetTextPreprocessor):
    """The pictures and the captions of a captioner, saved in it.

    A picture is a clip of one frame. The host squashes frames to one size, the same on every
    backend. Frames stay uint8; the encoder scales them for its backbone. Labels end with eos.

    Args:
        target: tokenizer of the captions.
        size: (H, W) of a frame.
        frames: of a clip at most. With 1, for pictures, an animated file gives its middle frame;
            see `read_picture`.
        steps: the normalisation of captions, in training and in scoring: names of
            `kerasseq.preprocessing.normalization.STEPS`, in order.
        max_target_length: T at most, eos included. A longer caption is cut, with a warning.
        vocabularies: the size and digest of "target" from `get_config`, in place of the tokenizer
            until the assets are loaded.

    Raises:
        UserError: a step is unknown or an argument out of its range, the preprocessor is used
            without its vocabulary, or it is loaded with another than it was saved with.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> preprocessor = kerasseq.CaptionPreprocessor.learn(["a red dog", "a cat"], size=(32, 32))
    >>> picture = np.zeros((48, 64, 3), "uint8")
    >>> preprocessor.features([picture])["values"].shape  # (N, F, H, W, 3)
    (1, 1, 32, 32, 3)
    >>> tokens, labels, weights = preprocessor.targets(["A cat."])
    >>> preprocessor.detokenize(labels)
    ['a cat']
    """

    reads = "picture"
    writes = "captions"

    @checked
    def __init__(
        self,
        target: Tokenizer | None = None,
        *,
        size: tuple[Size, Size] = (224, 224),
        frames: Size = 1,
        steps: Sequence[str] = CAPTION,
        max_target_length: Size = 64,
        vocabularies: dict | None = None,
        **kwargs,
    ):
        super().__init__(target, steps, True, max_target_length, vocabularies, **kwargs)
        if math.prod(size) * frames > _MOST_PIXELS:
            raise UserError(
                f"A clip of {frames:,} frames of {size[0]:,} x {size[1]:,} has more than "
                f"{_MOST_PIXELS:,} pixels: lower its size or frames."
            )
        self.size, self.frames = tuple(size), frames

    @classmethod
    def learn(
        cls,
        texts: Iterable[str],
        kind: Kind = "word",
        vocabulary_size: int = 10_000,
        *,
        steps: Sequence[str] = CAPTION,
        character_coverage: float = 1.0,
        **options,
    ) -> "CaptionPreprocessor":
        """Learns the vocabulary of captions, which it normalises by `steps` first.

        Args:
            texts: the captions, read once.
            kind, vocabulary_size, character_coverage: as in `Tokenizer.train`.
            options: of the preprocessor.
        """
        return super().learn(
            texts,
            kind,
            vocabulary_size,
            steps=steps,
            character_coverage=character_coverage,
            **options,
        )

    def is_single(self, raw: Any) -> bool:
        """Whether `raw` is the path of one picture, or an array (H, W, 3)."""
        array = isinstance(raw, np.ndarray) and raw.ndim == 3 and raw.dtype == np.uint8
        return array or isinstance(raw, str | os.PathLike)

    def features(self, pictures: Sequence[Picture]) -> dict[str, np.ndarray]:
        """Pictures to {"values": (N, F, H, W, 3) uint8, "mask": (N, F) bool, True = real}.

        Args:
            pictures: paths of picture or video files, or arrays (H, W, 3) or (F, H, W, 3) uint8 in
                RGB, of any size.

        Raises:
            UserError: a file cannot be used, or an array is of another kind.
        """
        with ThreadPoolExecutor(_THREADS) as pool:
            return self.pad_clips(list(pool.map(self._clip, range(len(pictures)), pictures)))

    def pad_clips(self, clips: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Pads clips (F, H, W, 3) uint8 of the model's size to the arrays of `features`."""
        lengths = np.array([len(clip) for clip in clips], np.int64)
        width = self.padded_length(int(lengths.max(initial=1)))
        values = np.zeros((len(clips), width, *self.size, 3), np.uint8)
        for row, clip in zip(values, clips, strict=True):
            row[: len(clip)] = clip
        return {"values": values, "mask": np.arange(width) < lengths[:, None]}

    def padded_length(self, steps: int, side: str = "source") -> int:
        """Returns the frames (or labels) to which a row with that many real ones is padded.

        These are 1, 2, 4, 8, ... frames, so that few shapes are ever compiled, but at most
        `frames`.
        """
        if side == "target":
            return super().padded_length(steps, side)
        return min(1 << (steps - 1).bit_length(), self.frames)

    def _clip(self, index: int, picture: Picture) -> np.ndarray:
        if isinstance(picture, str | os.PathLike):
            return read_picture(picture, self.size, self.frames)
        clip = np.asarray(picture)
        clip = clip[None] if clip.ndim == 3 else clip
        if clip.ndim != 4 or clip.shape[-1] != 3 or clip.dtype != np.uint8 or not clip.size:
            raise UserError(
                f"Picture {index} must be a path or an array (H, W, 3) or (F, H, W, 3) of uint8, "
                f"not {clip.dtype} {np.shape(picture)}."
            )
        return resize_clip(clip, self.size, self.frames)

    def get_config(self):
        config = super().get_config()
        del config["end"]
        return {**config, "size": list(self.size), "frames": self.frames}
