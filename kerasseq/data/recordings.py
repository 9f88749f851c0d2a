"""Recordings with their transcripts, as lists that can be read again and again."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasseq.data.corpus import Problems, digest, text_hash
from kerasseq.errors import UserError
from kerasseq.preprocessing.sound import read_sound

_NO_FILE = "there is no such recording"


class Recording(NamedTuple):
    """What is said in a sound file, or in a part of it.

    Attributes:
        path: the sound file.
        text: the transcript.
        place: the list that names it, and
        line: where, from 1.
        start: seconds from the beginning of the file.
        end: seconds from there too; None is its end.
    """

    path: str
    text: str
    place: str
    line: int
    start: float = 0.0
    end: float | None = None


Rows = Iterator[tuple[str, int, Recording | str]]
"""(place, line, recording), or in its stead a text that says what is wrong with the line."""


class SoundCorpus:
    """Recordings; each iteration reads them from the start, lazily.

    Attributes:
        problems: what the latest reading left out.
    """

    def __init__(self):
        self.problems = Problems()

    def __iter__(self) -> Iterator[Recording]:
        raise NotImplementedError

    def texts(self) -> Iterator[str]:
        """The transcripts."""
        for recording in self:
            yield recording.text

    def fingerprint(self) -> str:
        """A digest that changes when the recordings or the transcripts do."""
        raise NotImplementedError

    @contextlib.contextmanager
    def reader(
        self, rate: int, most: float | None = None
    ) -> Iterator[Callable[[Recording], np.ndarray]]:
        """A function from a recording to its samples (int16), for as long as the context lasts.

        Args:
            rate: samples a second.
            most: seconds at most; a longer recording is a SoundError.
        """

        def read(recording: Recording) -> np.ndarray:
            return read_sound(recording.path, rate, recording.start, recording.end, most)

        yield read


class ListedCorpus(SoundCorpus):
    """The recordings that a reader finds.

    What cannot be used is left out and counted in `problems`: a line that is none, an empty
    transcript, a missing file. What is wrong inside a sound file shows when it is decoded.

    Args:
        rows: gives the rows anew with every call.
        lists: the files that the rows come from, for the fingerprint.
        name: what is read, for the errors.
    """

    def __init__(self, rows: Callable[[], Rows], lists: Sequence[str | os.PathLike], name: str):
        super().__init__()
        self._rows, self._lists, self._name = rows, list(map(os.fspath, lists)), name

    def __iter__(self) -> Iterator[Recording]:
        problems = self.problems = Problems()
        usable = 0
        for place, line, row in self._rows():
            if isinstance(row, str):
                problems.add(place, line, row)
            elif not row.text.strip():
                problems.add(place, line, "the transcript is empty", row.path)
            elif not os.path.isfile(row.path):
                problems.add(place, line, _NO_FILE, row.path)
            else:
                usable += 1
                yield row
        if not usable:
            what = "nothing but bad lines" if len(problems) else "nothing in it"
            raise UserError("\n  ".join([f"{self._name}: there is {what}.", *problems.named]))

    def fingerprint(self) -> str:
        def stamp(path: str) -> str:
            stat = os.stat(path)
            return f"{os.path.abspath(path)} {stat.st_size} {stat.st_mtime_ns}"

        def parts() -> Iterator[str]:
            yield from map(stamp, self._lists)
            for some in self:
                yield f"{stamp(some.path)} {some.start} {some.end} {some.text}"

        return digest(parts())


class SoundPart(SoundCorpus):
    """The recordings of a corpus that a rule keeps.

    Args:
        keep: the rule.
        name: tells this part of the corpus from others.
    """

    def __init__(self, corpus: SoundCorpus, keep: Callable[[Recording], bool], name: str):
        super().__init__()
        self._corpus, self._keep, self._name = corpus, keep, name

    def __iter__(self) -> Iterator[Recording]:
        yield from filter(self._keep, self._corpus)
        self.problems = self._corpus.problems

    def fingerprint(self) -> str:
        return digest([self._corpus.fingerprint(), self._name])

    def reader(self, rate: int, most: float | None = None):
        return self._corpus.reader(rate, most)


def cut_off(
    corpus: SoundCorpus,
    size: int | float,
    group: Callable[[Recording], str] = lambda recording: recording.path,
    seed: int = 0,
) -> tuple[SoundPart, SoundPart]:
    """Cut (rest, part) of a corpus so that no group is in both.

    The part depends on the groups and the seed, not on their order.

    Args:
        size: recordings in the part, or below 1 the part of all of them. As a group stays
            together, the part has this many or, by one group, more.
        group: what stays together: by default the parts of a file; a speaker, say.
        seed: of the hash by which groups are drawn.

    Raises:
        UserError: if the corpus has fewer than two groups, or not more than `size` recordings.
    """
    hash_of = text_hash(seed)
    hashes = np.fromiter((hash_of(group(recording)) for recording in corpus), np.uint64)
    values, counts = np.unique(hashes, return_counts=True)
    wanted = size if size >= 1 else max(1, round(size * len(hashes)))
    if len(values) < 2 or wanted >= len(hashes):
        raise UserError(
            f"{wanted:,} recordings cannot be held out of {len(hashes):,} in {len(values):,} "
            "files; give a validation set of its own."
        )
    last = min(int(np.searchsorted(np.cumsum(counts), wanted)), len(values) - 2)
    cut, name = int(values[last]), f"{size} {seed}"

    def is_part(recording: Recording) -> bool:
        return hash_of(group(recording)) <= cut

    rest = SoundPart(corpus, lambda recording: not is_part(recording), f"rest {name}")
    return rest, SoundPart(corpus, is_part, f"part {name}")


def speaker_folder(recording: Recording) -> str:
    """The name of the folder that a recording is in."""
    return Path(recording.path).parent.name
