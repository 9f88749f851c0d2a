"""Recordings from pipes, whose writers did not know the sizes that belong into the header."""

import struct

import numpy as np
import pytest

from kerasseq.media.sound import SoundError, read_header, read_sound

soundfile = pytest.importorskip("soundfile")

RATE = 16000
SAMPLES = np.random.default_rng(0).integers(-32768, 32768, 4000).astype(np.int16)

UNKNOWN = [0, 0x7FFFFFFF, 0x7FFFF000, 0x7FFFF000 - 36, 0x7FFFFFBB, 0x80000000, 0x80000024]
UNKNOWN += [0xFFFFFFFF, 0xFFFFFFFF - 36, 0xFFFFFFDA, 0xFFFFF000]

FORMAT = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
EXTENSIBLE = struct.pack("<HHIIHH", 0xFFFE, 1, RATE, 2 * RATE, 2, 16) + (
    struct.pack("<HHI", 22, 16, 4) + bytes.fromhex("0100000000001000800000aa00389b71")
)
TAGS = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0"


def chunk(name, body, size=None):
    return name + struct.pack("<I", len(body) if size is None else size) + body


def wave(size, riff=None, before=b"", behind=b"", format=FORMAT, data=None, name=b"RIFF"):
    data = SAMPLES.astype("<i2").tobytes() if data is None else data
    body = b"WAVE" + chunk(b"fmt ", format) + before + chunk(b"data", data, size) + behind
    return name + struct.pack("<I", len(body) if riff is None else riff) + body


def wide(size, name=b"RF64", behind=b""):
    sizes = chunk(b"ds64", struct.pack("<QQQI", size, size, 0, 0))
    data = SAMPLES.astype("<i2").tobytes()
    body = b"WAVE" + sizes + chunk(b"fmt ", FORMAT) + chunk(b"data", data, 0xFFFFFFFF) + behind
    return name + b"\xff" * 4 + body


def rifx(size):
    data = SAMPLES.astype(">i2").tobytes()
    body = b"WAVEfmt " + struct.pack(">IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return b"RIFX" + struct.pack(">I", 0) + body + b"data" + struct.pack(">I", size) + data


def aiff(size, frames, form=0):
    common = struct.pack(">hIh", 1, frames, 16) + bytes.fromhex("400cfa00000000000000")
    data = bytes(8) + SAMPLES.astype(">i2").tobytes()
    body = b"AIFFCOMM" + struct.pack(">I", 18) + common + b"SSND" + struct.pack(">I", size) + data
    return b"FORM" + struct.pack(">I", form) + body


def au(size):
    return b".snd" + struct.pack(">IIIII", 24, size, 3, RATE, 1) + SAMPLES.astype(">i2").tobytes()


W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")


def w64(size):
    begin = bytes.fromhex("726966662e91cf11a5d628db04c10000") + struct.pack("<q", size)
    form = b"fmt " + W64 + struct.pack("<q", 40) + FORMAT
    return (
        begin
        + b"wave"
        + W64
        + form
        + b"data"
        + W64
        + struct.pack("<q", size)
        + (SAMPLES.astype("<i2").tobytes())
    )


def caf(size):
    about = struct.pack(">d4sIIIII", RATE, b"lpcm", 0, 2, 1, 1, 16)
    about = b"desc" + struct.pack(">q", 32) + about
    data = b"data" + struct.pack(">qI", size, 0) + SAMPLES.astype(">i2").tobytes()
    return b"caff\0\1\0\0" + about + data


PIPED = {
    **{f"wav-{size:x}": wave(size, size) for size in UNKNOWN},
    **{f"wav-riff-0-{size:x}": wave(size, 0) for size in UNKNOWN},
    **{f"wav-list-{size:x}": wave(size, size, TAGS) for size in UNKNOWN},
    **{f"wav-list-behind-{size:x}": wave(size, size, behind=TAGS) for size in UNKNOWN},
    **{f"wav-extensible-{size:x}": wave(size, size, TAGS, format=EXTENSIBLE) for size in UNKNOWN},
    "wav-killed": wave(0, 36),
    "wav-whole-by-riff": wave(SAMPLES.nbytes + 1000),
    "wav-known-list-behind": wave(None, behind=TAGS * 3),
    "wav-riff-alone-unknown": wave(None, 0xFFFFFFFF),
    "wav-is-rf64-by-name": wave(0xFFFFFFFF, name=b"RF64"),
    **{f"rifx-{size:x}": rifx(size) for size in (0, 0x7FFFF000, 0xFFFFFFFF)},
    **{f"rf64-{size:x}": wide(size) for size in (0, SAMPLES.nbytes, (1 << 64) - 1, (1 << 63) - 1)},
    "rf64-list-behind": wide(0, behind=TAGS),
    "bw64": wide(SAMPLES.nbytes, b"BW64"),
    "bw64-unknown": wide(0, b"BW64"),
    **{f"aiff-{size:x}": aiff(size, 0) for size in (0, 8, 0xFFFFFFFF, 0x7FFFFFFF)},
    "aiff-sox": aiff(0x7F000008, 0x3F800000, 0x7F000050),
    **{f"au-{size:x}": au(size) for size in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000)},
    **{f"w64-{size:x}": w64(size) for size in (-1, 0, 24, (1 << 63) - 1)},
    **{f"caf-{size:x}": caf(size) for size in (-1, 0, 4, (1 << 63) - 1)},
}


@pytest.mark.parametrize("name", PIPED)
def test_a_recording_from_a_pipe_is_whole(tmp_path, name):
    path = tmp_path / "a.wav"
    path.write_bytes(PIPED[name])
    assert np.array_equal(read_sound(path, RATE), SAMPLES)
    assert np.array_equal(read_sound(path, RATE, 0.1, 0.2), SAMPLES[1600:3200])


CUT_OFF = {
    "wav": wave(2 * SAMPLES.nbytes, 2 * SAMPLES.nbytes + 36),
    "wav-list": wave(SAMPLES.nbytes + 100, SAMPLES.nbytes + 200, TAGS),
    "wav-large": wave(0x60000000, 0x60000024),
    "rifx": rifx(2 * SAMPLES.nbytes),
    "rf64": wide(2 * SAMPLES.nbytes),
    "rf64-large": wide(1 << 40),
    "aiff": aiff(2 * SAMPLES.nbytes, 2 * len(SAMPLES)),
    "au": au(2 * SAMPLES.nbytes),
    "w64": w64(2 * SAMPLES.nbytes),
    "caf": caf(2 * SAMPLES.nbytes),
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_a_recording_of_a_known_size_that_is_not_there_is_cut_off(tmp_path, name):
    path = tmp_path / "a.wav"
    path.write_bytes(CUT_OFF[name])
    with pytest.raises(SoundError, match="the recording is cut off"):
        read_sound(path, RATE)


@pytest.mark.parametrize(
    "data", [wave(0, data=b""), wave(0, data=b"", behind=TAGS), wave(0xFFFFFFFF, data=b"")]
)
def test_a_recording_without_samples_is_empty(tmp_path, data):
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(SoundError, match="the recording is empty"):
        read_sound(tmp_path / "a.wav", RATE)


def test_a_flac_file_of_no_known_length(tmp_path):
    pytest.importorskip("av")
    import soundfile

    path = tmp_path / "a.flac"
    soundfile.write(path, SAMPLES, RATE)
    data = bytearray(path.read_bytes())
    data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    path.write_bytes(data)
    assert np.array_equal(read_sound(path, RATE), SAMPLES)
    assert np.array_equal(read_sound(path, RATE, 0.1, 0.2), SAMPLES[1600:3200])
    with pytest.raises(SoundError, match="longer than 0.1 s"):
        read_sound(path, RATE, max_seconds=0.1)


def test_all_streams_of_an_ogg_file_are_heard(tmp_path):
    pytest.importorskip("av")
    import soundfile

    path, times = tmp_path / "a.ogg", np.arange(RATE)
    soundfile.write(path, np.sin(times / 9) / 3, RATE, format="OGG")
    data = path.read_bytes()
    one = read_sound(path, RATE)
    path.write_bytes(3 * data)
    assert len(one) == RATE and abs(len(read_sound(path, RATE)) - 3 * RATE) < RATE // 10
    for part in (0, 1, 2):
        middle = read_sound(path, RATE, part + 0.3, part + 0.7).astype(float)
        assert 0.9 < np.std(middle) / np.std(one) < 1.1


@pytest.mark.parametrize("name", ["a.oga", "a.ogg"])
def test_flac_in_ogg(tmp_path, name):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / name), "w", format="ogg") as file:
        stream = file.add_stream("flac", rate=RATE, layout="mono")
        stream.format = "s16"
        frame = av.AudioFrame.from_ndarray(SAMPLES[None], format="s16", layout="mono")
        frame.rate, frame.pts = RATE, 0
        file.start_encoding()
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    assert np.array_equal(read_sound(tmp_path / name, RATE), SAMPLES)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_a_header_tells_rate_channels_and_length(tmp_path, ending):
    samples = np.zeros((24_000, 2), np.int16)
    soundfile.write(tmp_path / f"a.{ending}", samples, 16_000)
    header = read_header(tmp_path / f"a.{ending}")
    assert (header.rate, header.channels) == (16_000, 2)
    assert header.seconds == pytest.approx(1.5, abs=0.1)
