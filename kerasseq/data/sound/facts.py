"""What recordings are like, by their lists and headers: hours, rates, speakers."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from kerasseq.data.parallel import map_in_threads
from kerasseq.data.sound.recordings import Recording
from kerasseq.errors import FileError
from kerasseq.media.sound import SoundHeader, read_header

MAX_HEADERS = 20_000
"""The most headers that are read; of more recordings, some all over the corpus are measured."""


@dataclass(frozen=True)
class SoundFacts:
    """Counts of recordings, from their lists and from the headers of the files.

    Attributes:
        recordings: the number of recordings.
        seconds: the length of all together. If only some are measured, it is estimated from these.
        measured: the number of recordings whose length is known.
        unreadable: the number of recordings whose header cannot be read.
        mean_seconds: the mean length of a recording.
        longest_seconds: the length of the longest recording.
        rates: maps each number of samples a second to its number of recordings.
        speakers: the number of speakers; 0 if none is known.
        speaker_counts: maps each speaker who is known to the number of recordings.
        seconds_each: the length of each recording, in order: (recordings,) float32; NaN where it is
            not known.
    """

    recordings: int
    seconds: float
    measured: int
    unreadable: int
    mean_seconds: float
    longest_seconds: float
    rates: Mapping[int, int]
    speakers: int
    speaker_counts: Mapping[str, int] = field(repr=False, compare=False)
    seconds_each: np.ndarray = field(repr=False, compare=False)


def measure_recordings(recordings: Sequence[Recording]) -> SoundFacts:
    """Returns the facts of recordings, of which at most MAX_HEADERS headers are read."""
    count = len(recordings)
    seconds = np.full(count, np.nan, np.float32)
    places = np.unique(np.linspace(0, max(count - 1, 0), min(count, MAX_HEADERS)).astype(int))
    rates: Counter[int] = Counter()
    unreadable = 0
    for place, header in map_in_threads(lambda place: _try_header(recordings[place].path), places):
        if header is None:
            unreadable += 1
            continue
        rates[header.rate] += 1
        recording = recordings[place]
        end = header.seconds if recording.end is None else recording.end
        if end > recording.start:
            seconds[place] = end - recording.start
    known = seconds[~np.isnan(seconds)]
    mean = float(known.mean(dtype=np.float64)) if len(known) else 0.0
    speakers = Counter(some.speaker for some in recordings if some.speaker)
    return SoundFacts(
        recordings=count,
        seconds=mean * count,
        measured=len(known),
        unreadable=unreadable,
        mean_seconds=mean,
        longest_seconds=float(known.max(initial=0)),
        rates=dict(rates.most_common()),
        speakers=len(speakers),
        speaker_counts=speakers,
        seconds_each=seconds,
    )


def _try_header(path: str) -> SoundHeader | None:
    """Returns the header of a file; None if it cannot be read."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return _read_once(path, status.st_size, status.st_mtime_ns)


# Several recordings can be parts of one file, and a training surveys its data more than once.
@lru_cache(1 << 15)
def _read_once(path: str, size: int, changed: int) -> SoundHeader | None:
    try:
        return read_header(path)
    except FileError:
        return None
