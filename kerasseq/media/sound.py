"""Sound files as int16 numbers at one rate."""

import os
import re

import numpy as np

from kerasseq.errors import FileError, UserError

# What the writers of a pipe put where the number of bytes, not known yet, belongs.
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)


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

    Whatever libsndfile reads: wav, flac, ogg, mp3, NIST sphere, aiff, ...

    Args:
        rate: samples a second of the result.
        start: seconds from the beginning of the file.
        end: seconds from there too; None is the end of the file.
        most: seconds at most; a longer one is refused before it is decoded.

    Raises:
        SoundError: if there is no such file, it is no sound, is cut off or damaged, has nothing
            in it (between `start` and `end`), or is longer than `most`.
        UserError: if librosa is not installed.
    """
    librosa, soundfile = _librosa()
    if not os.path.isfile(path):
        raise SoundError(path, "there is no such recording")
    try:
        with soundfile.SoundFile(os.fspath(path)) as file:
            _check(path, file, start, end, most)
            length = None if end is None else end - start
            samples, _ = librosa.load(file, sr=rate, mono=True, offset=start, duration=length)
            whole = start == 0 and end is None
            if whole and len(samples) < _least(file) * rate / file.samplerate - 1:
                raise SoundError(path, "the recording is cut off")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        known = os.path.getsize(path) > 0
        kind = "not a sound file, or a damaged one" if known else "the file is empty"
        raise SoundError(path, kind) from error
    except OSError as error:
        raise SoundError(path, f"cannot be read: {error.strerror}") from error
    if not len(samples):
        raise SoundError(path, "the recording is empty")
    return to_int16(samples)


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Samples from -1 to 1 as int16, clipped."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)


def resampled(samples: np.ndarray, factor: float) -> np.ndarray:
    """(samples,) int16 played `factor` times as fast, and as much higher: 1 / factor as many.

    Ko et al., "Audio Augmentation for Speech Recognition", 2015, section 2: x(factor t).
    """
    import soxr

    return samples if factor == 1 else soxr.resample(samples, factor * 1000.0, 1000.0, "MQ")


def _librosa():
    try:
        import librosa
        import soundfile
    except ModuleNotFoundError as error:
        raise UserError(
            f'Sound needs the package {error.name}: pip install "kerasseq[audio]"'
        ) from error
    return librosa, soundfile


def _check(path, file, start, end, most):
    """Refuse what the header shows to be of no use."""
    seconds = file.frames / file.samplerate
    if not file.frames:
        raise SoundError(path, "the recording is empty")
    if start >= seconds or (end is not None and end > seconds + 0.1):
        raise SoundError(path, "the recording ends before the part that is asked for")
    if end is not None and end <= start:
        raise SoundError(path, "the part that is asked for is empty")
    if most is not None and min(seconds, end or seconds) - start > most:
        raise SoundError(path, f"longer than {most:g} s")
    announced = _announced(path, file)
    if announced and announced > file.frames:
        raise SoundError(path, "the recording is cut off")


def _announced(path, file) -> int | None:
    """Samples that the header speaks of, where libsndfile tells only those that are there."""
    if file.format == "NIST":
        with open(path, "rb") as raw:
            found = re.search(rb"sample_count -i (\d+)", raw.read(1024))
        return int(found[1]) if found else None
    if found := re.search(r"^data : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE):
        size, there = map(int, found.groups())
        # An odd byte of padding is counted by some writers and not by others.
        if size not in _UNKNOWN_SIZES and size > there + 16:
            return file.frames + 1
    return None


def _least(file) -> float:
    """Samples that a sound file must yield; an mp3 without a table has but an estimate."""
    return file.frames * (0.9 if file.format in ("MP3", "MPEG") else 1.0)
