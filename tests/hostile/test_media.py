"""Files of sound, pictures and clips from strangers: each is one error, in bounds, and alone."""

import os
import socket
import subprocess
import sys
import zlib

import numpy as np
import pytest

from kerasseq.media import picture
from kerasseq.media.picture import PictureError, read_picture
from kerasseq.media.sound import SoundError, read_sound
from tests.hostile import media

av = pytest.importorskip("av")
Image = pytest.importorskip("PIL.Image")
soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

RATE = 16000
TONE = np.sin(np.arange(RATE) / 10) * 0.3

SOUNDS = {
    "rate-1": (lambda: media.wave(b"\1\0" * 100_000, 1), "1 samples a second"),
    "rate-0": (lambda: media.wave(b"\1\0" * 9, 0), "0 samples a second|not a sound file"),
    "rate-2**31": (lambda: media.wave(b"\1\0" * 9, 1 << 31), "samples a second|not a sound file"),
    "1000-channels": (lambda: media.wave(bytes(4000), RATE, 1000), "more than 64 channels"),
    "no-channels": (lambda: media.wave(bytes(4000), RATE, 0), "not a sound file"),
    "20-hours": (lambda: media.flac_of_silence(20), "longer than 3 hours"),
    "samples": (lambda: media.mp4((1, 1 << 30), kind=b"soun"), "more frames or samples are ann"),
    "no-sound": (lambda: media.mp4(), "there is no sound in it|not a sound file"),
    "text": (lambda: b"hello", "not a sound file"),
    "dump": (lambda: b"\xf0\x7e\0\1" + bytes(300), "not a sound file"),
    "none": (lambda: b"", "the file is empty"),
}

PICTURES = {
    "gif-canvas": (lambda: media.gif(9000, 9000, 400), "more than 400 million pixels in all"),
    "gif-large": (lambda: media.gif(65535, 65535, 2), "more than 89 million pixels"),
    "gif-frames": (lambda: media.gif(1, 1, 20_001), "more than 20,000 frames"),
    "apng-canvas": (lambda: media.png(2000, 2000, animated=200), "more than 400 million pixels in"),
    "png-text": (
        lambda: media.png(
            8, 8, before=media.png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8)))
        ),
        "not a picture file",
    ),
    "jpeg-scans": (lambda: media.jpeg_of_many_scans(2000, 1600), "1,6.. scans, which take too"),
    "webp-canvas": (lambda: media.webp_canvas(9400, 20), "more than 400 million pixels in all"),
    "webp-large": (lambda: media.webp_canvas(16384, 2), "more than 89 million pixels"),
    "webp-frames": (lambda: media.webp_canvas(8, 20_001), "more than 20,000 frames"),
    "tiff-tile": (lambda: media.tiff_of_a_tile(100, 32768), "more than 89 million pixels"),
    "tiff-strips": (lambda: media.tiff_of_strips(200_000), "200,000 strips or tiles, which take"),
    "bmp-runs": (lambda: media.bmp_in_runs(89_000_000, 1), "more than 10 million pixels in run"),
    "mp4-samples": (lambda: media.mp4((1, 1 << 30)), "more frames or samples are announced"),
    "mp4-table": (lambda: media.mp4((0, 1 << 30)), "more frames or samples are announced"),
    "mp4-edits": (lambda: media.mp4((1, 60), 60_000), "more frames or samples are announced"),
    "mp4-fragments": (lambda: media.mp4_of_fragments(10**8, 1), "more frames or samples are ann"),
    "mp4-large": (lambda: media.mp4(width=65535, height=65535), "not a picture|million pixels"),
    "eps": (media.postscript, "not a picture file"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(80), "a HEIC picture.*convert it to JPEG"),
    "heif": (lambda: b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC picture.*convert it"),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a picture file"),
    "pdf": (lambda: b"%PDF-1.4\n", "not a picture file"),
    "fits": (lambda: b"SIMPLE  =                    T".ljust(2880), "not a picture file"),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_that_asks_for_much_is_refused(tmp_path, name):
    make, message = SOUNDS[name]
    for ending in (".wav", ".raw", ".mp3"):
        path = tmp_path / f"a{ending}"
        path.write_bytes(make())
        with pytest.raises(SoundError, match=message):
            read_sound(path, RATE)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_that_asks_for_much_is_refused(tmp_path, name):
    make, message = PICTURES[name]
    for ending in (".jpg", ".mp4"):
        path = tmp_path / f"a{ending}"
        path.write_bytes(make())
        if ending == ".mp4" and not name.startswith(("mp4", "hei")):
            message = "not a picture file"
        with pytest.raises(PictureError, match=message):
            read_picture(path, (8, 8), 4)


def test_a_video_with_too_much_before_a_frame_is_refused(tmp_path, monkeypatch):
    clip(tmp_path / "a.avi", 100)
    monkeypatch.setattr("kerasseq.media.video.MAX_DECODED", 64 * 48 * 52)
    assert read_picture(tmp_path / "a.avi", (8, 8)).shape == (1, 8, 8, 3)
    monkeypatch.setattr("kerasseq.media.video.MAX_DECODED", 64 * 48 * 49)
    with pytest.raises(PictureError, match="million pixels before the frames wanted"):
        read_picture(tmp_path / "a.avi", (8, 8))


# What little memory and time the worst take that are read.

_MEASURED = """
import resource, sys, time
import av, PIL.Image, soundfile, soxr
from kerasseq.media.picture import read_picture
from kerasseq.media.sound import read_sound
PIL.Image.init()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = sys.argv[1]
read_sound(path, 16000) if path.endswith("flac") else read_picture(path, (224, 224), 8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, time.process_time())
"""


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.flac", lambda: media.flac_of_silence(1)),
        ("a.png", lambda: media.png(9400, 9400, 8, 6)),
        ("a.gif", lambda: media.gif(9000, 9000, 3)),
    ],
)
def test_the_worst_stay_in_bounds(tmp_path, name, make):
    (tmp_path / name).write_bytes(make())
    run = [sys.executable, "-c", _MEASURED, str(tmp_path / name)]
    kilobytes, seconds = map(float, subprocess.check_output(run, timeout=120).split())
    assert kilobytes < 1.5 * (1 << 20) and seconds < 30


# Other files than the one that is named.


def clip(path, count=1):
    """Grey frames, of which the first alone begins anew."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=10, options={"g": "300"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8), format="rgb24")
        for some in [frame] * count + [None]:
            for packet in stream.encode(some):
                file.mux(packet)


LISTS = {
    "concat": "ffconcat version 1.0\nfile other.mp4\n",
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "subtitles": "1\n00:00:00,000 --> 00:00:01,000\nother.mp4\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist/>',
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("ending", [".mp4", ".ts", ".mkv", ".jpg"])
def test_a_list_of_files_is_no_clip(tmp_path, monkeypatch, name, ending):
    monkeypatch.chdir(tmp_path)
    clip("other.mp4")
    (tmp_path / f"a{ending}").write_text(LISTS[name])
    with pytest.raises(PictureError, match="not a picture file"):
        read_picture(f"a{ending}")
    with pytest.raises(SoundError, match="not a sound file"):
        read_sound(f"a{ending}", RATE)


@pytest.mark.parametrize("name", ["concat:other.mp4", "a%d.mp4", "file:other.mp4", "pipe:0"])
def test_a_name_is_a_name(tmp_path, monkeypatch, name):
    """And no protocol or pattern of FFmpeg's."""
    monkeypatch.chdir(tmp_path)
    clip("other.mp4")
    os.link("other.mp4", "a1.mp4")
    with pytest.raises(PictureError, match="there is no such picture"):
        read_picture(name)
    os.link("other.mp4", name)
    assert read_picture(name).shape == (1, 48, 64, 3)


def test_samples_in_another_file_are_not_read(tmp_path, monkeypatch):
    """A QuickTime clip may say that its frames are in another file."""
    monkeypatch.chdir(tmp_path)
    secret = bytes(range(64)) * 64
    (tmp_path / "secret").write_bytes(secret)
    url = media.box(b"url ", bytes(4) + f"file://{tmp_path}/secret".encode() + b"\0")
    for name in ("a.mov", "a.mp4"):
        (tmp_path / name).write_bytes(media.mp4((16, 4), url=url, kind=b"soun"))
        try:
            heard = read_sound(name, RATE)
        except SoundError:
            continue
        assert heard.astype(">i2").tobytes() not in secret


def test_ghostscript_does_not_start(tmp_path, monkeypatch):
    marker = tmp_path / "started"
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("a.jpg", "a.eps", "a.png"):
        (tmp_path / name).write_bytes(media.postscript())
        with pytest.raises(PictureError, match="not a picture file"):
            read_picture(tmp_path / name)
    assert not marker.exists()


def test_the_kind_of_a_file_is_told_by_what_is_in_it(tmp_path):
    clip(tmp_path / "a.avi")
    (tmp_path / "a.avi").rename(tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").shape == (1, 48, 64, 3)
    soundfile.write(tmp_path / "a.wav", TONE, RATE)
    (tmp_path / "a.wav").rename(tmp_path / "a.raw")
    assert len(read_sound(tmp_path / "a.raw", RATE)) == RATE


# What is no file at all.


@pytest.mark.parametrize("read", [lambda path: read_sound(path, RATE), read_picture])
def test_what_is_no_file_is_refused_at_once(tmp_path, read):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "circle.wav").symlink_to("circle.wav")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        for path, message in (
            (tmp_path / "pipe.wav", "not a file but a pipe"),
            (tmp_path / "s", "not a file but a pipe, a socket"),
            ("/dev/zero", "not a file but a pipe, a socket or a device"),
            (tmp_path / "folder.wav", "a folder, not a file"),
            (tmp_path / "circle.wav", "cannot be read: Too many levels"),
            (tmp_path / "no\0thing", "there is no such"),
            (tmp_path / ("x" * 300), "cannot be read: File name too long"),
            (tmp_path / "a" / "b", "there is no such"),
        ):
            with pytest.raises((SoundError, PictureError), match=message):
                read(path)


# Samples of other kinds.


@pytest.mark.parametrize(
    ("subtype", "tolerance"),
    [
        *[(name, 1) for name in ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")],
        *[("PCM_U8", 256), ("ULAW", 600), ("ALAW", 600), ("IMA_ADPCM", 900), ("MS_ADPCM", 900)],
        ("GSM610", 4000),
    ],
)
def test_every_coding_of_a_wav(tmp_path, subtype, tolerance):
    soundfile.write(tmp_path / "a.wav", TONE, RATE, subtype=subtype)
    heard = read_sound(tmp_path / "a.wav", RATE)
    expected = np.round(TONE * 32768)
    assert abs(len(heard) - RATE) <= 512  # some codings fill up their last block
    assert np.abs(heard[1000:15000] - expected[1000:15000]).max() <= tolerance
    part = read_sound(tmp_path / "a.wav", RATE, 0.25, 0.5)
    assert np.array_equal(part, heard[4000:8000])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 5.5])
def test_samples_of_no_known_range_are_refused(tmp_path, value):
    samples = TONE.copy()
    samples[777] = value
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    message = "float samples up to" if np.isfinite(value) else r"no numbers \(NaN or infinite\)"
    with pytest.raises(SoundError, match=message):
        read_sound(tmp_path / "a.wav", RATE)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_float_samples_of_16_bit_numbers_are_divided(tmp_path, subtype):
    whole = np.round(TONE * 32768)
    for samples, expected in (
        (whole, whole),
        (whole + 0.25, whole),
        (np.round(TONE * 10), np.round(TONE * 10)),
        (TONE * 4, np.clip(np.round(TONE * 4 * 32768), -32768, 32767)),
        (TONE, whole),
    ):
        soundfile.write(tmp_path / "a.wav", samples, RATE, subtype=subtype)
        assert np.abs(read_sound(tmp_path / "a.wav", RATE) - expected).max() <= 1


# Damage.


def made(name):
    path = name.replace("-", ".")
    if name in ("wav", "flac", "ogg", "aiff", "mp3", "au", "caf", "w64"):
        return lambda folder: soundfile.write(folder / f"a.{name}", TONE[:4000], RATE)
    if name in ("mp4", "avi", "mkv"):
        return lambda folder: clip(folder / f"a.{name}")
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))
    return lambda folder: image.save(folder / f"a.{path}")


@pytest.mark.parametrize(
    "name", "wav flac ogg aiff mp3 au caf w64 mp4 avi mkv jpg png gif webp avif bmp jp2 ppm".split()
)
def test_damage_is_one_error_or_harmless(tmp_path, name, capfd):
    """And no decoder writes to the terminal of it."""
    made(name)(tmp_path)
    path = tmp_path / f"a.{name}"
    data, rng = path.read_bytes(), np.random.default_rng(1)
    is_sound = name in "wav flac ogg aiff mp3 au caf w64".split()
    capfd.readouterr()
    for _ in range(25):
        some = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, rng.choice([min(100, len(some)), len(some)]), rng.integers(1, 9))
        some[places] = rng.choice([0, 127, 128, 255, int(rng.integers(256))], len(places))
        path.write_bytes(some[: rng.choice([len(some), rng.integers(1, len(some))])].tobytes())
        try:
            found = read_sound(path, RATE) if is_sound else read_picture(path, (8, 8), 2)
        except (SoundError, PictureError):
            continue
        assert found.dtype == (np.int16 if is_sound else np.uint8) and found.size
    assert capfd.readouterr() == ("", "")


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "_LARGE", 10)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with picture._large:
        assert picture._large.locked()
    assert read_picture(tmp_path / "a.png").shape == (1, 8, 8, 3)
    assert not picture._large.locked()


def test_small_pictures_in_strips_and_runs_are_read(tmp_path):
    (tmp_path / "a.tif").write_bytes(media.tiff_of_strips(20))
    (tmp_path / "a.bmp").write_bytes(media.bmp_in_runs(16, 20))
    assert read_picture(tmp_path / "a.tif").shape == (1, 20, 16, 3)
    assert read_picture(tmp_path / "a.bmp").shape == (1, 20, 16, 3)


def test_damaged_exif_data_say_nothing(tmp_path, recwarn):
    tags = [(number, 7, 9_000_000, 8) for number in range(100)]
    exif = media.png_chunk(b"eXIf", media.tiff(tags, bytes(100)))
    (tmp_path / "a.png").write_bytes(media.png(16, 16, before=exif))
    assert read_picture(tmp_path / "a.png").shape == (1, 16, 16, 3)
    assert not recwarn.list
