"""Checks of recordings: by their headers, and by the samples of some of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from kerasseq.data.facts import Survey
from kerasseq.data.inspection.findings import Finding
from kerasseq.data.inspection.texts import find_outliers
from kerasseq.data.parallel import map_in_threads
from kerasseq.data.sound.recordings import Recording
from kerasseq.errors import FileError
from kerasseq.media.sound import read_header

MAX_SECONDS = 20.0
"""The default of data.max_seconds, above which a training leaves a recording out."""

_READ_SECONDS = 60.0  # of a recording, so that a long one does not take all memory and time
_WINDOW, _HOP, _SUBSAMPLING = 0.025, 0.01, 4

_SILENT = 33  # of 32,768: 60 dB below full scale
_LOUD = 3277  # 20 dB below full scale; lower peaks are not clipped
_RUN = 3  # samples at the peak, one after the other
_MIN_RUNS = 3  # one or two come by chance
_CLIPPED = 0.001  # the share of the samples in such runs

_BLOCK = 0.02  # seconds
_BELOW_PEAK = 40.0  # decibels
_ACTIVE = 0.1  # seconds

Progress = Callable[[Iterable, int, str], Iterable]
"""Wraps (items, number of items, unit), and shows how many are done."""


class Levels(NamedTuple):
    """What the samples of a recording show.

    Attributes:
        peak: the largest distance from the mean, from 0 to 65,535.
        clipped: the share of the samples in runs of at least three at the peak, from 0 to 1.
        active: the seconds within 40 dB of the loudest 20 ms.
    """

    peak: float
    clipped: float
    active: float


def count_ctc_steps(seconds: np.ndarray) -> np.ndarray:
    """Returns the steps in which CTC can write a character: frames of 10 ms, subsampled by 4."""
    frames = np.floor((np.asarray(seconds, np.float64) - _WINDOW) / _HOP + 1e-6) + 1
    return np.ceil(np.maximum(frames, 0) / _SUBSAMPLING)


def count_ctc_units(text: str) -> int:
    """Returns the steps that CTC needs for the characters of a text.

    One for each character and one blank between two that are equal: Graves et al., "Connectionist
    Temporal Classification", 2006, section 3.1.
    """
    text = " ".join(text.split())
    return len(text) + sum(map(str.__eq__, text, text[1:]))


def measure_levels(samples: np.ndarray, rate: int) -> Levels:
    """Returns the levels of a recording (n,) int16."""
    values = samples.astype(np.float32)
    centred = values - values.mean()
    # Of a recording that was made quieter after it was clipped, the peaks are below full scale.
    at_peak = (values >= max(values.max(initial=0) - 1, _LOUD)) | (
        values <= min(values.min(initial=0) + 1, -_LOUD)
    )
    edges = np.flatnonzero(np.diff(np.concatenate([[0], at_peak.view(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    runs = runs[runs >= _RUN]
    block = max(1, int(_BLOCK * rate))
    blocks = np.pad(centred, (0, -len(centred) % block)).reshape(-1, block)
    power = np.mean(blocks**2, axis=1)
    loud = power > max(power.max(initial=0) * 10 ** (-_BELOW_PEAK / 10), _SILENT**2 / 2)
    return Levels(
        peak=float(np.abs(centred).max(initial=0)),
        clipped=float(runs.sum() / len(values)) if len(runs) >= _MIN_RUNS else 0.0,
        active=float(loud.sum() * block / rate),
    )


def check_headers(part: str, recordings: Sequence[Recording], facts: Survey) -> list[Finding]:
    """Checks the lengths of recordings, against their transcripts and by themselves."""
    assert facts.sound is not None
    seconds = facts.sound.seconds_each
    measured = facts.sound.measured
    names = ("too_long_for_ctc", "pace", "too_long")
    ctc, pace, long = (Finding(name, part, measured, "recordings") for name in names)
    steps, units = count_ctc_steps(seconds), [count_ctc_units(some.text) for some in recordings]
    distances = find_outliers(facts.target.characters_each, seconds)
    for place in np.flatnonzero(~np.isnan(seconds)):
        some, time = recordings[place], float(seconds[place])
        where = some.place, some.line
        if units[place] > steps[place]:
            why = f"{len(some.text):,} characters in {time:.2f} s"
            ctc.add(units[place] / max(steps[place], 1), *where, why)
        elif distances[place]:
            why = f"{len(some.text):,} characters in {time:.1f} s"
            pace.add(float(distances[place]), *where, why)
        if time > MAX_SECONDS:
            long.add(time, *where, f"{time:,.1f} s")
    return [ctc, pace, long]


def check_samples(
    part: str, recordings: Sequence[Recording], progress: Progress
) -> tuple[list[Finding], int]:
    """Checks the samples of recordings, which are decoded: of long ones the first minute.

    Returns:
        The findings, and the number of recordings that can be read.
    """
    names = ("unreadable", "silent", "nearly_empty", "clipped")
    bad, silent, empty, clipped = (
        Finding(name, part, len(recordings), "recordings") for name in names
    )
    readable = 0
    results = map_in_threads(_measure, recordings)
    for some, levels in progress(results, len(recordings), "recordings"):
        where = some.place, some.line
        if isinstance(levels, str):
            bad.add(0, *where, levels)
            continue
        readable += 1
        if levels.peak < _SILENT:
            silent.add(-levels.peak, *where, "silent")
        elif levels.active < _ACTIVE:
            empty.add(-levels.active, *where, f"{levels.active:.2f} s of sound in it")
        if levels.clipped > _CLIPPED:
            share = f"{100 * levels.clipped:.1f} % of the samples are clipped"
            clipped.add(levels.clipped, *where, share)
    return [bad, silent, empty, clipped], readable


def _measure(recording: Recording) -> Levels | str:
    """Returns the levels of a recording, or why it cannot be read."""
    try:
        rate = read_header(recording.path).rate
        end = recording.end
        if end is None or end - recording.start > _READ_SECONDS:
            end = _shorten(recording)
        return measure_levels(recording._replace(end=end).read(rate), rate)
    except FileError as error:
        return error.kind


def _shorten(recording: Recording) -> float | None:
    """Returns the end of the first minute of a longer recording."""
    seconds = read_header(recording.path).seconds
    rest = (recording.end or seconds) - recording.start
    return recording.start + _READ_SECONDS if rest > _READ_SECONDS else recording.end
