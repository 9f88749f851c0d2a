"""Open sound files, which libsndfile or PyAV decodes block by block."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from kerasseq.errors import UserError
from kerasseq.media.containers import detect_container, is_plain_ogg, open_container
from kerasseq.media.files import ContentError
from kerasseq.media.sound_headers import PatchedFile, find_patches

_BLOCK = 1 << 20  # samples of all channels that are decoded at a time

# The containers that PyAV reads; libsndfile reads the others. PyAV reads mp3, because libsndfile
# writes to standard error about a damaged file.
_TRACKS = "mov matroska avi mpeg asf flv mpegts aac amr mp3 flac".split()

_MAX_DAMAGED = 0.1  # of the packets of a track; players skip them too


class Source(NamedTuple):
    """An open recording.

    Attributes:
        rate: samples a second.
        channels: the number of channels.
        samples: the number of samples in each channel; None if it is known only after decoding.
        min_samples: the least number of samples of a file that is not cut off.
        seconds: the length by the header, which can be rough if `samples` is None; 0 if the header
            has none.
        floats: whether the file has floats, of any range.
        blocks: yields (n, channels) float32 from a sample on to the end; from -1 to 1 unless the
            file has floats. Only a file of floats can be read twice.
    """

    rate: int
    channels: int
    samples: int | None
    min_samples: float
    seconds: float
    floats: bool
    blocks: Callable[[int], Iterator[np.ndarray]]


@contextlib.contextmanager
def open_source(path: str) -> Iterator[Source]:
    """Opens a sound file with the library that reads its kind, which its first bytes show.

    Raises:
        ContentError: if the file is shorter than its header says, or has no samples.
        UserError: if a package is not installed.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(path, "rb", buffering=0))
        kind = detect_container(file)
        if kind in _TRACKS or (kind == "ogg" and not is_plain_ogg(file)):
            yield _track(stack.enter_context(open_container(file, kind)))
            return
        if file.read(2) == b"\xf0\x7e":  # MIDI dumps, whose decoder writes to standard output
            raise ValueError("a sample dump")
        if patches := find_patches(file):
            file = stack.enter_context(PatchedFile(path, patches))
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        # By its descriptor, so that soundfile draws no conclusion from the name of the file.
        opened = file if patches else file.fileno()
        yield _sndfile(stack.enter_context(_soundfile().SoundFile(opened, closefd=False)))


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
    rate, channels, samples = file.samplerate, file.channels, file.frames
    return Source(rate, channels, samples, samples, samples / max(rate, 1), floats, blocks)


def _track(file: Any) -> Source:
    if not file.streams.audio:
        raise ContentError("there is no sound in it")
    stream = file.streams.audio[0]
    rate, channels = stream.rate, stream.channels
    seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0

    def blocks(first: int) -> Iterator[np.ndarray]:
        for frames in _group(_to_floats(_frames(file, stream), stream), _BLOCK // channels):
            block = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T
            if len(block) > first:
                yield block[first:]
            first = max(0, first - len(block))

    whole = seconds or (file.duration or 0) / 1e6  # of the container, in microseconds
    return Source(rate, channels, None, 0.9 * seconds * rate, whole, False, blocks)


def _group(frames: Iterator[Any], samples: int) -> Iterator[list[Any]]:
    """Yields frames in groups of at least this many samples."""
    some, count = [], 0
    for frame in frames:
        some.append(frame)
        count += frame.samples
        if count >= samples:
            yield some
            some, count = [], 0
    if some:
        yield some


def _to_floats(frames: Iterator[Any], stream: Any) -> Iterator[Any]:
    """Yields frames of floats, a row for each channel, all at the rate of their track."""
    import av

    convert = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    for frame in frames:
        fits = frame.format.name == "fltp" and frame.sample_rate == stream.rate
        yield from [frame] if fits else convert.resample(frame)


def _frames(file: Any, stream: Any) -> Iterator[Any]:
    """Yields the decoded frames of a track, some of whose packets can be damaged."""
    import av

    good = bad = 0
    for packet in file.demux(stream):
        try:
            yield from packet.decode()
            good += 1
        except av.error.InvalidDataError:
            bad += 1
    if bad > _MAX_DAMAGED * (good + bad):
        raise ValueError("many packets are damaged")
