"""Recordings with their transcripts."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasseq.data.examples import Examples
from kerasseq.media.endings import SOUNDS
from kerasseq.media.sound import read_sound


class Recording(NamedTuple):
    """A sound file, or a part of it, and its transcript.

    Attributes:
        path: the sound file.
        text: the transcript.
        place: the list that names the file.
        line: the line of the list, from 1.
        start: where the part begins, in seconds.
        end: where the part ends, in seconds; None is the end of the file.
        speaker: who speaks, if it is known. It is no part of the fingerprint.

    Example:

    >>> import numpy as np
    >>> import soundfile
    >>> from kerasseq.data import Recording
    >>> soundfile.write("a.wav", np.zeros(8000, "int16"), 8000)
    >>> half = Recording("a.wav", "one", "list.tsv", 1, start=0.5)
    >>> half.read(rate=16000).shape
    (8000,)
    """

    path: str
    text: str
    place: str
    line: int
    start: float = 0.0
    end: float | None = None
    speaker: str = ""

    kind = "recording"

    @property
    def texts(self) -> tuple[str, ...]:
        """The transcript, as the only text."""
        return (self.text,)

    def stamp(self) -> str:
        """Returns the text that enters the fingerprint, besides the file."""
        return f"{self.start} {self.end} {self.text}"

    def reason_against(self) -> str | None:
        """Returns what is wrong with the recording, as far as it shows without the file."""
        return None if self.text.strip() else "the transcript is empty"

    def read(self, rate: int, max_seconds: float | None = None) -> np.ndarray:
        """Returns the samples (n,) int16.

        Args:
            rate: samples a second of the result.
            max_seconds: the length above which a recording is refused.

        Raises:
            SoundError: if the recording is longer, or cannot be used.
        """
        return read_sound(self.path, rate, self.start, self.end, max_seconds)


SoundCorpus = Examples[Recording]
"""Recordings that can be read again and again; `reader(rate, max_seconds)` decodes them."""


def speaker_folder(recording: Recording) -> str:
    """Returns the name of the folder that a recording is in."""
    return Path(recording.path).parent.name


# As the data sets are published, and then as people convert them.
_ENDINGS = (".flac", ".wav", ".sph", *SOUNDS)


def find_sound_file(stem: Path) -> str:
    """Returns the sound file of a name without ending: the first ending that is there."""
    files = (f"{stem}{ending}" for ending in _ENDINGS if os.path.isfile(f"{stem}{ending}"))
    return next(files, f"{stem}{_ENDINGS[0]}")
