"""Sound and transcripts to the arrays of a speech recogniser, and ids back to text."""

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence

import keras
import numpy as np

from kerasseq.errors import UserError
from kerasseq.preprocessing.base import Preprocessor
from kerasseq.preprocessing.normalization import SPOKEN, check_steps, normalized
from kerasseq.preprocessing.padding import (
    END,
    PAD,
    Ragged,
    ladder_length,
    pad_ragged,
    prediction_tokens,
    sound_ladder,
    teacher_forcing,
)
from kerasseq.preprocessing.sound import read_sound, to_int16
from kerasseq.preprocessing.tokenizer import Kind, Tokenizer

Sound = str | os.PathLike | np.ndarray


@keras.saving.register_keras_serializable("kerasseq")
class SpeechPreprocessor(Preprocessor):
    """The waveforms and the transcripts of a speech recogniser, saved in it.

    Waveforms stay int16; the acoustic front end is another layer. They are padded to 4, 5, 6, 7,
    8, 10, 12, 14, 16, 20, ... tenths of a second, so that few shapes are ever compiled.

    Phonemes are the kind "word" over transcripts of phonemes with spaces between them.

    Args:
        target: tokenizer of the transcripts.
        rate: samples a second.
        steps: the normalisation of transcripts, in training and in scoring: names of
            `kerasseq.preprocessing.normalization.STEPS`, in order.
        end: whether labels end with eos, as a decoder that attends needs, or not, as CTC and
            transducers have it.
        max_seconds: of a recording; a longer one is cut, with a warning.
        max_target_length: U at most, eos included; a longer transcript is cut, with a warning.
        vocabularies: what `get_config` wrote, in the tokenizer's place until the assets are loaded.

    Raises:
        UserError: if a step is unknown; if used without its vocabulary, or loaded with another
            than it was saved with.
    """

    reads = "sound"

    def __init__(
        self,
        target: Tokenizer | None = None,
        *,
        rate: int = 16000,
        steps: Sequence[str] = SPOKEN,
        end: bool = False,
        max_seconds: float = 30.0,
        max_target_length: int = 512,
        vocabularies: dict | None = None,
        **kwargs,
    ):
        super().__init__(None if target is None else {"target": target}, vocabularies, **kwargs)
        self.rate, self.steps, self.end = rate, check_steps(steps), end
        self.max_seconds, self.max_target_length = max_seconds, max_target_length

    @classmethod
    def learn(
        cls,
        transcripts: Iterable[str],
        kind: Kind = "char",
        vocabulary_size: int = 1000,
        *,
        steps: Sequence[str] = SPOKEN,
        character_coverage: float = 1.0,
        **options,
    ) -> "SpeechPreprocessor":
        """Learn the vocabulary of transcripts, and normalise them by `steps` first.

        Args:
            character_coverage: as in `Tokenizer.train`.
            options: of the preprocessor.
        """
        check_steps(steps)
        lines = (normalized([text], steps)[0] for text in transcripts)
        tokenizer = Tokenizer.train(
            lines, kind, vocabulary_size, character_coverage=character_coverage
        )
        return cls(tokenizer, steps=steps, **options)

    def normalize(self, texts: Sequence[str]) -> list[str]:
        """The transcripts as the tokenizer reads them, and as they are scored."""
        return normalized(texts, self.steps)

    def encode(self, texts: Sequence[str], sampling: float | None = None, seed: int = 0) -> Ragged:
        """Ids of N transcripts end to end and uncut, each ended by eos if `end`."""
        rows = self.tokenizer("target").encode_flat(self.normalize(texts), sampling, seed)
        if self.end:
            return rows
        return Ragged(rows.ids[rows.ids != END], rows.offsets - np.arange(len(rows.offsets)))

    def unknown(self, transcripts: Iterable[str]) -> Counter[str]:
        """What the vocabulary lacks, characters or words: in how many transcripts each is."""
        tokenizer = self.tokenizer("target")
        found: Counter[str] = Counter()
        for text in self.normalize(list(transcripts)):
            found.update(set(tokenizer.unknown(text)))
        return found

    def features(self, recordings: Sequence[Sound]) -> dict[str, np.ndarray]:
        """Recordings to {"values": (N, samples) int16, "mask": (N, samples) bool, True = real}.

        Args:
            recordings: paths of sound files, or arrays (samples,) at the model's rate: int16, or
                floats from -1 to 1.

        Raises:
            UserError: a file cannot be used, or an array is empty or no such array.
        """
        rows = [self._samples(index, some) for index, some in enumerate(recordings)]
        lengths = np.array([len(row) for row in rows], np.int64)
        width = self.padded_length(int(lengths.max(initial=1)))
        values = np.zeros((len(rows), width), np.int16)
        for padded, row in zip(values, rows, strict=True):
            padded[: len(row)] = row
        return {"values": values, "mask": np.arange(width) < lengths[:, None]}

    def padded_length(self, steps: int, side: str = "source") -> int:
        """The samples (or with "target" labels) that a row of so many real ones is padded to."""
        if side == "target":
            return ladder_length(steps)
        unit = self.rate // 10
        return sound_ladder(-(-steps // unit)) * unit

    def targets(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Transcripts to tokens, labels (N, U) int32, weights (N, U) float32.

        With `end`, labels end with eos and tokens (N, U) are bos and all labels but the last.
        Without, tokens (N, U + 1) are bos and all labels, for a prediction network. Weights are 1
        on real labels.
        """
        rows = self.encode(texts)
        limit, lengths = self.max_target_length, rows.lengths
        if cut := np.flatnonzero(lengths > limit).tolist():
            warnings.warn(
                f"{len(cut)} of {len(texts)} transcripts are longer than {limit} pieces and were "
                f"cut, the first of them: {texts[cut[0]][:60]!r}...",
                stacklevel=2,
            )
            place = np.arange(len(rows.ids)) - np.repeat(rows.offsets[:-1], lengths)
            ids = np.where((place == limit - 1) & self.end, END, rows.ids)[place < limit]
            rows = Ragged(ids, np.concatenate([[0], np.cumsum(np.minimum(lengths, limit))]))
        labels = pad_ragged(rows, ladder_length(int(rows.lengths.max(initial=1))))
        return self.inputs(labels)

    def inputs(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(tokens, labels, weights), as `targets` says, of padded labels (N, U)."""
        if self.end:
            tokens, weights = teacher_forcing(labels)
        else:
            tokens, weights = prediction_tokens(labels), (labels != PAD).astype(np.float32)
        return tokens, labels, weights

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
                samples = to_int16(samples)
            elif samples.dtype != np.int16:
                raise UserError(f"Recording {index} has samples of {samples.dtype}, not of int16.")
        most = int(self.max_seconds * self.rate)
        if len(samples) > most:
            what = f"recording {index}" if isinstance(recording, np.ndarray) else recording
            warnings.warn(f"{what} was cut after {self.max_seconds:g} s.", stacklevel=3)
        return samples[:most]

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "steps": list(self.steps),
            "end": self.end,
            "max_seconds": self.max_seconds,
            "max_target_length": self.max_target_length,
        }
