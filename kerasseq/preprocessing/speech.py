"""Sound and transcripts to the arrays of a speech recogniser, and ids back to text."""

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasseq.checks import Rate, Seconds, Size, checked
from kerasseq.errors import UserError
from kerasseq.media.files import ContentError
from kerasseq.media.levels import scale_to_int16
from kerasseq.media.sound import read_sound
from kerasseq.preprocessing.normalization import SPOKEN
from kerasseq.preprocessing.padding import sound_ladder_length
from kerasseq.preprocessing.target_text import TargetTextPreprocessor
from kerasseq.preprocessing.tokenizer import Tokenizer
from kerasseq.serialization import register

Sound = str | os.PathLike | np.ndarray


@register()
class SpeechPreprocessor(TargetTextPreprocessor):
    """The waveforms and the transcripts of a speech recogniser, saved in it.

    Waveforms stay int16; the acoustic front end is another layer. They are padded to 4, 8, 16, 32,
    ... tenths of a second, so that few shapes are ever compiled.

    For phonemes, learn the kind "word" from transcripts with spaces between the phonemes.

    Args:
        target: tokenizer of the transcripts.
        rate: samples a second.
        steps: the normalisation of transcripts, in training and in scoring: names of
            `kerasseq.preprocessing.normalization.STEPS`, in order.
        end: whether labels end with eos. A decoder that attends needs eos; CTC and transducers do
            not have it.
        max_seconds: of a recording. A longer one is cut, with a warning.
        max_target_length: U at most, eos included. A longer transcript is cut, with a warning.
        vocabularies: the size and digest of "target" from `get_config`, in place of the tokenizer
            until the assets are loaded.

    Raises:
        UserError: a step is unknown or an argument out of its range, the preprocessor is used
            without its vocabulary, or it is loaded with another than it was saved with.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> preprocessor = kerasseq.SpeechPreprocessor.learn(["yes", "no"], rate=8000)
    >>> features = preprocessor.features([np.zeros(4000, "int16")])  # half a second
    >>> features["values"].shape, int(features["mask"].sum())
    ((1, 6400), 4000)
    >>> tokens, labels, weights = preprocessor.targets(["Yes!"])
    >>> preprocessor.detokenize(labels)
    ['yes']
    """

    reads = "sound"
    writes = "transcripts"

    @checked
    def __init__(
        self,
        target: Tokenizer | None = None,
        *,
        rate: Rate = 16000,
        steps: Sequence[str] = SPOKEN,
        end: bool = False,
        max_seconds: Seconds = 30.0,
        max_target_length: Size = 512,
        vocabularies: dict | None = None,
        **kwargs,
    ):
        super().__init__(target, steps, end, max_target_length, vocabularies, **kwargs)
        self.rate, self.max_seconds = rate, max_seconds

    def is_single(self, raw: Any) -> bool:
        """Whether `raw` is the path of one recording, or an array (samples,)."""
        array = isinstance(raw, np.ndarray) and raw.ndim == 1 and raw.dtype.kind in "if"
        return array or isinstance(raw, str | os.PathLike)

    def features(self, recordings: Sequence[Sound]) -> dict[str, np.ndarray]:
        """Recordings to {"values": (N, samples) int16, "mask": (N, samples) bool, True = real}.

        Args:
            recordings: paths of sound files, or arrays (samples,) at the model's rate: int16, or
                floats from -1 to 1 (or of 16-bit numbers; see `kerasseq.media.levels`).

        Raises:
            UserError: a file cannot be used, or an array is empty or of another kind.
        """
        rows = [self._samples(index, some) for index, some in enumerate(recordings)]
        lengths = np.array([len(row) for row in rows], np.int64)
        width = self.padded_length(int(lengths.max(initial=1)))
        values = np.zeros((len(rows), width), np.int16)
        for padded, row in zip(values, rows, strict=True):
            padded[: len(row)] = row
        return {"values": values, "mask": np.arange(width) < lengths[:, None]}

    def padded_length(self, steps: int, side: str = "source") -> int:
        """Returns the samples (or labels) to which a row with that many real ones is padded."""
        if side == "target":
            return super().padded_length(steps, side)
        unit = self.rate // 10
        return sound_ladder_length(-(-steps // unit)) * unit

    def _samples(self, index: int, recording: Sound) -> np.ndarray:
        if isinstance(recording, str | os.PathLike):
            samples = read_sound(recording, self.rate)
        else:
            samples = np.asarray(recording)
            if samples.ndim != 1 or not samples.size or samples.dtype.kind not in "if":
                raise UserError(
                    f"Recording {index} must be a path or an array (samples,), not "
                    f"{samples.dtype} {samples.shape}."
                )
            if samples.dtype.kind == "f":
                try:
                    samples = scale_to_int16(samples)
                except ContentError as error:
                    raise UserError(f"Recording {index}: {error}.") from error
            elif samples.dtype != np.int16:
                raise UserError(f"Recording {index} has samples of {samples.dtype}, not of int16.")
        most = int(self.max_seconds * self.rate)
        if len(samples) > most:
            what = f"recording {index}" if isinstance(recording, np.ndarray) else recording
            warnings.warn(f"{what} was cut after {self.max_seconds:g} s.", stacklevel=3)
        return samples[:most]

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "max_seconds": self.max_seconds}
