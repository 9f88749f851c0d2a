"""Recordings with their transcripts."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasseq.data.examples import Examples
from kerasseq.media.endings import SOUNDS
from kerasseq.media.sound import read_sound


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

    what, one = "recordings", "recording"

    @property
    def texts(self) -> tuple[str, ...]:
        """The transcript alone."""
        return (self.text,)

    def stamp(self) -> str:
        """What of it a fingerprint counts, beside the file."""
        return f"{self.start} {self.end} {self.text}"

    def wrong(self) -> str | None:
        """What is wrong with it, as far as that shows without the file."""
        return None if self.text.strip() else "the transcript is empty"

    def read(self, rate: int, most: float | None = None) -> np.ndarray:
        """(samples,) int16 at `rate`; more than `most` seconds are a SoundError."""
        return read_sound(self.path, rate, self.start, self.end, most)


SoundCorpus = Examples[Recording]
"""Recordings that can be read again and again; `reader(rate, most)` decodes them."""

Rows = Iterator[tuple[str, int, Recording | str]]
"""(place, line, recording), or in its stead a text that says what is wrong with the line."""


def speaker_folder(recording: Recording) -> str:
    """The name of the folder that a recording is in."""
    return Path(recording.path).parent.name


# As the data sets are published, and then as people convert them.
_ENDINGS = (".flac", ".wav", ".sph", *SOUNDS)


def sound_file(stem: Path) -> str:
    """The file of that name with the first of the endings of sound files that there is."""
    found = (f"{stem}{ending}" for ending in _ENDINGS if os.path.isfile(f"{stem}{ending}"))
    return next(found, f"{stem}{_ENDINGS[0]}")
