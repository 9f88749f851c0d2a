"""Recordings and transcripts, decoded and encoded once, in flat files of which any can be read."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from kerasseq.checks import number
from kerasseq.data.corpus import Problems, digest
from kerasseq.data.folder import build_folder, groups, mapped, nothing_left, options_of, read_meta
from kerasseq.data.rows import Rows, RowWriter, joined, row_texts, text_rows
from kerasseq.data.sound.recordings import Recording, SoundCorpus
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import UserError
from kerasseq.media.sound import SoundError
from kerasseq.preprocessing.padding import pad_ragged
from kerasseq.preprocessing.speech import SpeechPreprocessor

FORMAT = 2  # of the files; a store with another is built anew
FRAMES = 100  # a second: the lengths that a plan is made of

_SHORTEST = 0.05  # seconds: two windows of 25 ms
_GROUP = 16  # recordings that a thread decodes at a time


class SoundStore:
    """Waveforms (int16), target ids and normalised transcripts of N recordings, on disk.

    Only lengths (12 bytes a recording) are held in memory.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the one it was built with.

    Attributes:
        problems: what was left out of the corpus.
        unknown: the characters (or words) of the transcripts that the vocabulary lacks.
    """

    def __init__(self, path: str | os.PathLike, preprocessor: SpeechPreprocessor):
        self.path, self.preprocessor = Path(path), preprocessor
        meta = read_meta(self.path)
        self.problems = Problems.from_dict(meta["problems"])
        self.unknown = UnknownUnits.from_dict(meta["unknown"])
        self._sounds = Rows(self.path / "sounds", "int16", "int16")
        self._targets = Rows(self.path / "targets", "int32")
        self._texts = Rows(self.path / "texts", "uint8")

    @classmethod
    def build(
        cls,
        path: str | os.PathLike,
        corpus: SoundCorpus,
        preprocessor: SpeechPreprocessor,
        *,
        replace: bool = True,
        threads: int | None = None,
        progress: Callable[[int], None] = lambda recordings: None,
    ) -> "SoundStore":
        """Decode a corpus, or open what was built from the same one with the same options.

        Recordings that cannot be used, are longer than `preprocessor.max_seconds` or shorter than
        0.05 s, and transcripts of nothing or of more than `max_target_length` pieces are left out
        and counted. The folder appears whole or not at all.

        Args:
            replace: whether what was built before may have held other recordings.
            threads: that decode; None takes all cores of this process.
            progress: called with the number of recordings stored so far.

        Raises:
            UserError: if no recording is left, the disk is full, or the recordings are others
                than before and must not be.
        """
        path = Path(path)
        fingerprint = digest(["sound", str(FORMAT), corpus.fingerprint(), options_of(preprocessor)])

        def write(folder: Path) -> dict:
            return _write(folder, corpus, preprocessor, threads, progress)

        build_folder(path, fingerprint, write, replace=replace, what="recordings")
        return cls(path, preprocessor)

    def __len__(self) -> int:
        return len(self._sounds.lengths)

    def frames(self, slowest: float = 1.0) -> np.ndarray:
        """(N,) int32 lengths in frames of 10 ms, of recordings played at the `slowest` speed."""
        # One frame more than it takes: resampling may round up.
        extra = int(slowest != 1)
        samples = self._sounds.lengths / slowest
        return (np.ceil(samples * FRAMES / self.preprocessor.rate) + extra).astype(np.int32)

    def target_lengths(self) -> np.ndarray:
        """(N,) int32 lengths of the labels."""
        return self._targets.lengths

    @property
    def seconds(self) -> float:
        """Of all recordings."""
        return float(self._sounds.lengths.sum(dtype=np.int64)) / self.preprocessor.rate

    def sounds(self, indices: np.ndarray) -> list[np.ndarray]:
        """Some waveforms, each (samples,) int16."""
        rows = self._sounds.take(np.asarray(indices))
        return np.split(rows.ids, rows.offsets[1:-1])

    def labels(self, indices: np.ndarray, width: int) -> np.ndarray:
        """Some rows of labels, padded: (n, width) int32."""
        return pad_ragged(self._targets.take(np.asarray(indices)), width)

    def texts(self, indices: np.ndarray) -> list[str]:
        """Some transcripts, normalised."""
        return row_texts(self._texts.take(np.asarray(indices)))


class _Decoded(NamedTuple):
    """The recordings of a group that can be used, and what is wrong with the others."""

    sounds: list[np.ndarray]
    targets: list[np.ndarray]
    texts: list[str]
    unknown: list[list[str]]
    problems: list[tuple[str, int, str, str]]


def _write(folder, corpus, preprocessor, threads, progress) -> dict:
    problems, unknown, count = Problems(), UnknownUnits("transcripts"), 0
    most = preprocessor.max_seconds
    with contextlib.ExitStack() as stack:
        read = stack.enter_context(corpus.reader(preprocessor.rate, most))
        sounds, targets, texts = (
            stack.enter_context(RowWriter(folder / name, dtype))
            for name, dtype in (("sounds", "int16"), ("targets", "int32"), ("texts", "uint8"))
        )

        def decode(group: list[Recording]) -> _Decoded:
            return _decoded(group, read, preprocessor)

        for _, some in mapped(decode, groups(corpus, _GROUP), threads):
            for problem in some.problems:
                problems.add(*problem)
            for units in some.unknown:
                unknown.add(units)
            if some.sounds:
                sounds.add(joined(some.sounds))
                targets.add(joined(some.targets))
                texts.add(text_rows(some.texts))
            count += len(some.sounds)
            progress(count)
    problems.merge(corpus.problems)
    if not count:
        raise nothing_left("recording", problems)
    return {
        "problems": problems.to_dict(),
        "unknown": unknown.to_dict(),
    }


def _decoded(group, read, preprocessor) -> _Decoded:
    some = _Decoded([], [], [], [], [])
    rows = preprocessor.encode([recording.text for recording in group])
    texts = preprocessor.normalize([recording.text for recording in group])
    tokenizer, limit = preprocessor.tokenizer("target"), preprocessor.max_target_length
    labels = np.split(rows.ids, rows.offsets[1:-1])
    for recording, ids, text in zip(group, labels, texts, strict=True):
        try:
            if len(ids) <= preprocessor.end:
                raise SoundError(recording.path, "nothing is left of the transcript")
            if len(ids) > limit:
                raise SoundError(recording.path, f"a transcript of more than {limit} pieces")
            samples = read(recording)
            if len(samples) < _SHORTEST * preprocessor.rate:
                raise SoundError(recording.path, f"shorter than {_SHORTEST} s")
        except SoundError as error:
            some.problems.append((recording.place, recording.line, error.kind, recording.path))
            continue
        some.sounds.append(samples)
        some.targets.append(ids)
        some.texts.append(text)
        some.unknown.append(tokenizer.unknown(text))
    return some


Speeds = tuple[Annotated[float, number(0.5, 2)], ...]
"""Factors of a speed perturbation."""


def check_speeds(speeds: tuple[float, ...]) -> tuple[float, ...]:
    """The factors of a speed perturbation.

    Raises:
        UserError: if there is none, or one is not from 0.5 to 2.
    """
    if not speeds or not all(0.5 <= speed <= 2 for speed in speeds):
        raise UserError(f"Speeds must be from 0.5 to 2, not {speeds}.")
    return tuple(speeds)
