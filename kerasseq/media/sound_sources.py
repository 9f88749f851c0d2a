"""The decoders of sound: blocks of samples, as they come."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from kerasseq.errors import UserError
from kerasseq.media.containers import container, opened
from kerasseq.media.files import ContentError
from kerasseq.media.sound_headers import Patched, patches

_BLOCK = 1 << 20  # numbers that are decoded at a time, over all channels

# Which containers PyAV reads; the others are libsndfile's.
_TRACKS = ("mov", "matroska", "avi", "mpeg", "asf", "flv", "mpegts", "aac", "amr", "flac")


class Source(NamedTuple):
    """A recording that is open.

    Attributes:
        rate: samples a second.
        channels: of it.
        samples: in each channel; None if only decoding tells.
        least: samples that a file must yield that is not cut off.
        floats: whether the file holds floats, of whatever range.
        blocks: from a sample on, (n, channels) float32 again and again to the end; -1 to 1 unless
            the file holds floats. Only a file of floats can be read twice.
    """

    rate: int
    channels: int
    samples: int | None
    least: float
    floats: bool
    blocks: Callable[[int], Iterator[np.ndarray]]


@contextlib.contextmanager
def source(path: str) -> Iterator[Source]:
    """Open a sound file by the library that reads its kind, told by its first bytes.

    Raises:
        ContentError: the file is shorter than its header says, or has no samples.
        UserError: if a package is not installed.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(path, "rb", buffering=0))
        kind = container(file)
        if kind in _TRACKS:
            yield _track(stack.enter_context(opened(file, kind)))
            return
        if changes := patches(file):
            file = stack.enter_context(Patched(path, changes))
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        # Opened by its number, a file has no name, of which nothing could be concluded.
        there = file if changes else file.fileno()
        yield _sndfile(stack.enter_context(_soundfile().SoundFile(there, closefd=False)))


def _soundfile() -> Any:
    try:
        import soundfile
    except ModuleNotFoundError as error:
        raise UserError(
            f'Sound needs the package {error.name}: pip install "kerasseq[audio]"'
        ) from error
    return soundfile


def _sndfile(file: Any) -> Source:
    size = max(1, _BLOCK // file.channels)

    def blocks(first: int) -> Iterator[np.ndarray]:
        if file.seekable():
            file.seek(first)
            first = 0
        while len(block := file.read(size, dtype="float32", always_2d=True)):
            if len(block) > first:
                yield block[first:]
            first = max(0, first - len(block))

    # An mp3 without a table has but an estimate.
    least = file.frames * (0.9 if file.format in ("MP3", "MPEG") else 1.0)
    floats = file.subtype in ("FLOAT", "DOUBLE")
    return Source(file.samplerate, file.channels, file.frames, least, floats, blocks)


def _track(file: Any) -> Source:
    import av

    if not file.streams.audio:
        raise ContentError("there is no sound in it")
    stream = file.streams.audio[0]
    rate, channels = stream.rate, stream.channels
    seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0

    def blocks(first: int) -> Iterator[np.ndarray]:
        to_floats = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
        for frame in file.decode(stream):
            for some in to_floats.resample(frame):
                block = some.to_ndarray().T
                if len(block) > first:
                    yield block[first:]
                first = max(0, first - len(block))

    return Source(rate, channels, None, 0.9 * seconds * rate, False, blocks)
