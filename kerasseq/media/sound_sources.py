"""The decoders of sound: blocks of samples, as they come."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from kerasseq.errors import UserError
from kerasseq.media.containers import container, is_plain_ogg, opened
from kerasseq.media.files import ContentError
from kerasseq.media.sound_headers import Patched, patches

_BLOCK = 1 << 20  # numbers that are decoded at a time, over all channels

# Which containers PyAV reads; the others are libsndfile's, whose decoder of mp3 complains about a
# damaged file on standard error.
_TRACKS = "mov matroska avi mpeg asf flv mpegts aac amr mp3 flac".split()

_MOST_BAD = 0.1  # of the packets of a track: players pass over them too


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
        if kind in _TRACKS or (kind == "ogg" and not is_plain_ogg(file)):
            yield _track(stack.enter_context(opened(file, kind)))
            return
        if file.read(2) == b"\xf0\x7e":  # MIDI's dumps: their decoder writes to standard output
            raise ValueError("a sample dump")
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

    floats = file.subtype in ("FLOAT", "DOUBLE")
    return Source(file.samplerate, file.channels, file.frames, file.frames, floats, blocks)


def _track(file: Any) -> Source:
    if not file.streams.audio:
        raise ContentError("there is no sound in it")
    stream = file.streams.audio[0]
    rate, channels = stream.rate, stream.channels
    seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0

    def blocks(first: int) -> Iterator[np.ndarray]:
        for frames in _many(_floats(_frames(file, stream), stream), _BLOCK // channels):
            block = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T
            if len(block) > first:
                yield block[first:]
            first = max(0, first - len(block))

    return Source(rate, channels, None, 0.9 * seconds * rate, False, blocks)


def _many(frames: Iterator[Any], samples: int) -> Iterator[list[Any]]:
    """The frames, as many together as have that many samples."""
    some, count = [], 0
    for frame in frames:
        some.append(frame)
        count += frame.samples
        if count >= samples:
            yield some
            some, count = [], 0
    if some:
        yield some


def _floats(frames: Iterator[Any], stream: Any) -> Iterator[Any]:
    """Frames of floats, a row a channel, all at the rate of their track."""
    import av

    convert = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    for frame in frames:
        alike = frame.format.name == "fltp" and frame.sample_rate == stream.rate
        yield from [frame] if alike else convert.resample(frame)


def _frames(file: Any, stream: Any) -> Iterator[Any]:
    """The decoded frames of a track of which some packets may be damaged."""
    import av

    good = bad = 0
    for packet in file.demux(stream):
        try:
            yield from packet.decode()
            good += 1
        except av.error.InvalidDataError:
            bad += 1
    if bad > _MOST_BAD * (good + bad):
        raise ValueError("many packets are damaged")
