"""Sound files as int16 samples at one rate."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from kerasseq.errors import FileError, UserError
from kerasseq.media.files import CUT_OFF, ContentError, check_file, translate_errors
from kerasseq.media.levels import check_finite, find_scale, to_int16
from kerasseq.media.sound_sources import Source, open_source

MAX_HOURS = 3
"""The most hours of a recording; its header is checked first, if it has the length."""

RATES = (1_000, 768_000)
"""The least and the most samples a second of a recording."""

MAX_CHANNELS = 64

_EMPTY = "the recording is empty"
_CUT_OFF = CUT_OFF.format("recording")
_BEFORE = "the recording ends before the part that is asked for"


class SoundError(FileError):
    """A recording that cannot be used."""


class SoundHeader(NamedTuple):
    """What the header of a sound file says.

    Attributes:
        rate: samples a second.
        channels: the number of channels.
        seconds: the length; 0 if only decoding tells it.
    """

    rate: int
    channels: int
    seconds: float


def read_header(path: str | os.PathLike) -> SoundHeader:
    """Reads the header of a sound file, without decoding it.

    Raises:
        SoundError: if there is no such file, if it is not sound, cut off or empty, or if its rate
            or its channels are not those of a recording.
        UserError: as `read_sound`.
    """
    path = os.fspath(path)
    check_file(path, SoundError, "recording")
    with translate_errors(path, SoundError, "sound"), open_source(path) as sound:
        _check(sound, 0.0, None, None)
        return SoundHeader(sound.rate, sound.channels, sound.seconds)


def read_sound(
    path: str | os.PathLike,
    rate: int,
    start: float = 0.0,
    end: float | None = None,
    max_seconds: float | None = None,
) -> np.ndarray:
    """Reads a recording, or a part of it: (n,) int16 at `rate`, the mean of all channels.

    libsndfile reads wav, flac, ogg, opus, mp3, NIST sphere, aiff, ...; PyAV reads m4a, webm, wma,
    amr and the sound of videos. The contents of a file and not its name decide on its kind.

    Float samples are from -1 to 1, or 16-bit numbers; see `levels.find_scale`.

    Args:
        path: the file.
        rate: samples a second of the result.
        start: where the part begins, in seconds.
        end: where the part ends, in seconds; None is the end of the file.
        max_seconds: the length above which a recording is refused, before it is decoded.

    Raises:
        SoundError: if there is no such file, if it is not sound, cut off or damaged, if it has no
            samples between `start` and `end`, if it is longer than `max_seconds` or MAX_HOURS, or
            if its rate, its channels or its samples are not those of a recording.
        UserError: if soundfile, soxr, or PyAV for tracks in containers, is not installed.

    Example:

    >>> import numpy as np
    >>> import soundfile
    >>> import kerasseq
    >>> soundfile.write("tone.wav", np.sin(np.arange(8000) / 5), 8000)  # a second at 8 kHz
    >>> samples = kerasseq.media.read_sound("tone.wav", rate=16000, end=0.5)
    >>> samples.shape, samples.dtype
    ((8000,), dtype('int16'))
    """
    path = os.fspath(path)
    check_file(path, SoundError, "recording")
    with (
        translate_errors(path, SoundError, "sound"),
        open_source(path) as sound,
        np.errstate(all="ignore"),
    ):
        _check(sound, start, end, max_seconds)
        return _decode(sound, rate, start, end, max_seconds)


def change_speed(samples: np.ndarray, factor: float) -> np.ndarray:
    """Returns (n / factor,) int16: samples (n,) played `factor` times as fast, and so higher.

    Ko et al., "Audio Augmentation for Speech Recognition", 2015, section 2: x(factor t).

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> samples = np.zeros(8800, "int16")
    >>> kerasseq.media.change_speed(samples, 1.1).shape
    (8000,)
    """
    return samples if factor == 1 else _soxr().resample(samples, factor * 1000.0, 1000.0, "MQ")


def _soxr():
    try:
        import soxr
    except ModuleNotFoundError as error:
        raise UserError('Sound needs the package soxr: pip install "kerasseq[audio]"') from error
    return soxr


def _check(sound: Source, start, end, max_seconds) -> None:
    """Checks what the header says."""
    if not RATES[0] <= sound.rate <= RATES[1]:
        raise ContentError(f"{sound.rate:,} samples a second, which no recording has")
    if sound.channels > MAX_CHANNELS:
        raise ContentError(f"more than {MAX_CHANNELS} channels")
    if end is not None and end <= start:
        raise ContentError("the part that is asked for is empty")
    if sound.samples is not None:
        _check_length(sound, sound.samples, start, end, max_seconds)


def _check_length(sound: Source, samples: int, start, end, max_seconds) -> None:
    seconds = samples / sound.rate
    if not samples:
        raise ContentError(_EMPTY)
    if start >= seconds or (end is not None and end > seconds + 0.1):
        raise ContentError(_BEFORE)
    _check_seconds(seconds if end is None else min(seconds, end), start, max_seconds)


def _check_seconds(end: float, start: float, max_seconds: float | None) -> None:
    if max_seconds is not None and end - start > max_seconds:
        raise ContentError(f"longer than {max_seconds:g} s")
    if end - start > MAX_HOURS * 3600:
        raise ContentError(f"longer than {MAX_HOURS} hours: cut it into parts")


def _decode(sound: Source, rate: int, start, end, max_seconds) -> np.ndarray:
    """Decodes a part block by block, so that memory grows with the result alone."""
    first = round(start * sound.rate)
    wanted = None if end is None else max(1, round(end * sound.rate) - first)

    def blocks() -> Iterator[np.ndarray]:
        done = 0
        for block in sound.blocks(first):
            block = block[: None if wanted is None else wanted - done].mean(axis=1)
            check_finite(block)
            done += len(block)
            _check_seconds(done / sound.rate, 0.0, max_seconds)
            yield block
            if done == wanted:
                break

    factor = np.float32(find_scale(blocks()) if sound.floats else 1.0)
    convert, total, parts = _resampler(sound.rate, rate), 0, []
    for block in blocks():
        total += len(block)
        parts.append(to_int16(convert(block * factor)))
    parts.append(to_int16(convert(np.zeros(0, np.float32), last=True)))
    if not total:
        raise ContentError(_BEFORE if start else _EMPTY)
    if start == 0 and end is None and total < sound.min_samples - 1:
        raise ContentError(_CUT_OFF)
    if wanted is not None and total < wanted - 0.1 * sound.rate:
        raise ContentError(_BEFORE if sound.samples is None else _CUT_OFF)
    samples = np.zeros(-(-total * rate // sound.rate), np.int16)
    np.concatenate(parts, out=samples[: sum(map(len, parts))])
    return samples


def _resampler(rate: int, wanted: int) -> Callable[..., np.ndarray]:
    """Returns a function that converts block after block from one rate to another."""
    if rate == wanted:
        return lambda block, last=False: block
    return _soxr().ResampleStream(rate, wanted, 1, "float32", "HQ").resample_chunk
