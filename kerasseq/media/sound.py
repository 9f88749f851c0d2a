"""Sound files as int16 numbers at one rate."""

import os
from collections.abc import Callable, Iterator

import numpy as np

from kerasseq.errors import FileError, UserError
from kerasseq.media.files import ContentError, check_file, failures
from kerasseq.media.levels import check_numbers, level, to_int16
from kerasseq.media.sound_sources import Source, source

MOST_HOURS = 3
"""Of a recording: what is longer is refused, by its header where that tells."""

RATES = (1_000, 768_000)
"""Samples a second that a recording may have."""

MOST_CHANNELS = 64

_EMPTY = "the recording is empty"
_CUT_OFF = "the recording is cut off"
_BEFORE = "the recording ends before the part that is asked for"


class SoundError(FileError):
    """A recording that cannot be used."""


def read_sound(
    path: str | os.PathLike,
    rate: int,
    start: float = 0.0,
    end: float | None = None,
    most: float | None = None,
) -> np.ndarray:
    """A recording, or a part of it, as (samples,) int16: channels averaged, at `rate`.

    libsndfile reads wav, flac, ogg, opus, mp3, NIST sphere, aiff, ...; PyAV reads m4a, webm, wma,
    amr and the sound of videos. The kind of a file is told by what is in it, not by its name.

    Float samples are from -1 to 1, or 16-bit numbers; see `levels.level`.

    Args:
        rate: samples a second of the result.
        start: seconds from the beginning of the file.
        end: seconds from there too; None is the end of the file.
        most: seconds at most; a longer one is refused before it is decoded.

    Raises:
        SoundError: if there is no such file, it is no sound, is cut off or damaged, has nothing
            in it (between `start` and `end`), is longer than `most` or than MOST_HOURS, or its
            rate, channels or samples are none that a recording has.
        UserError: if soundfile, soxr, or for tracks in containers PyAV, is not installed.
    """
    path = os.fspath(path)
    check_file(path, SoundError, "recording")
    with failures(path, SoundError, "sound"), source(path) as sound, np.errstate(all="ignore"):
        _check(sound, start, end, most)
        return _decoded(sound, rate, start, end, most)


def resampled(samples: np.ndarray, factor: float) -> np.ndarray:
    """(samples,) int16 played `factor` times as fast, and as much higher: 1 / factor as many.

    Ko et al., "Audio Augmentation for Speech Recognition", 2015, section 2: x(factor t).
    """
    return samples if factor == 1 else _soxr().resample(samples, factor * 1000.0, 1000.0, "MQ")


def _soxr():
    try:
        import soxr
    except ModuleNotFoundError as error:
        raise UserError('Sound needs the package soxr: pip install "kerasseq[audio]"') from error
    return soxr


def _check(sound: Source, start, end, most) -> None:
    """Refuse what the header shows to be of no use."""
    if not RATES[0] <= sound.rate <= RATES[1]:
        raise ContentError(f"{sound.rate:,} samples a second, which no recording has")
    if sound.channels > MOST_CHANNELS:
        raise ContentError(f"more than {MOST_CHANNELS} channels")
    if end is not None and end <= start:
        raise ContentError("the part that is asked for is empty")
    if sound.samples is not None:
        _check_length(sound, sound.samples, start, end, most)


def _check_length(sound: Source, samples: int, start, end, most) -> None:
    seconds = samples / sound.rate
    if not samples:
        raise ContentError(_EMPTY)
    if start >= seconds or (end is not None and end > seconds + 0.1):
        raise ContentError(_BEFORE)
    _check_most(seconds if end is None else min(seconds, end), start, most)


def _check_most(end: float, start: float, most: float | None) -> None:
    if most is not None and end - start > most:
        raise ContentError(f"longer than {most:g} s")
    if end - start > MOST_HOURS * 3600:
        raise ContentError(f"longer than {MOST_HOURS} hours: cut it into parts")


def _decoded(sound: Source, rate: int, start, end, most) -> np.ndarray:
    """The samples of a part, block by block, so that memory grows with the result alone."""
    first = round(start * sound.rate)
    wanted = None if end is None else max(1, round(end * sound.rate) - first)

    def blocks() -> Iterator[np.ndarray]:
        done = 0
        for block in sound.blocks(first):
            block = block[: None if wanted is None else wanted - done].mean(axis=1)
            check_numbers(block)
            done += len(block)
            _check_most(done / sound.rate, 0.0, most)
            yield block
            if done == wanted:
                break

    factor = np.float32(level(blocks()) if sound.floats else 1.0)
    convert, total, found = _converter(sound.rate, rate), 0, []
    for block in blocks():
        total += len(block)
        found.append(to_int16(convert(block * factor)))
    found.append(to_int16(convert(np.zeros(0, np.float32), last=True)))
    if not total:
        raise ContentError(_BEFORE if start else _EMPTY)
    if start == 0 and end is None and total < sound.least - 1:
        raise ContentError(_CUT_OFF)
    if wanted is not None and total < wanted - 0.1 * sound.rate:
        raise ContentError(_BEFORE if sound.samples is None else _CUT_OFF)
    samples = np.zeros(-(-total * rate // sound.rate), np.int16)
    np.concatenate(found, out=samples[: sum(map(len, found))])
    return samples


def _converter(rate: int, wanted: int) -> Callable[..., np.ndarray]:
    """What turns block after block of one rate into another."""
    if rate == wanted:
        return lambda block, last=False: block
    return _soxr().ResampleStream(rate, wanted, 1, "float32", "HQ").resample_chunk
