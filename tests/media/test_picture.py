import threading

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.errors import UserError
from kerasseq.media.picture import PictureError, choose_frames, read_picture
from kerasseq.preprocessing import CaptionPreprocessor

Image = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def smooth(height=48, width=64):
    """A picture that no compression harms much, and of which no two corners are alike."""
    down, right = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    return (np.stack([down, right, down * right], axis=-1) * 200 + 20).astype(np.uint8)


def halves(mode="RGB"):
    """Red to the left, blue to the right."""
    image = Image.new("RGB", (8, 4), RED)
    image.paste(BLUE, (4, 0, 8, 4))
    return image.convert(mode)


def grey(level):
    return Image.new("L", (6, 4), level)


def saved(folder, image, name, **options):
    image.save(folder / name, **options)
    return folder / name


def animated(folder, name, count=10, **options):
    """Frames of 0, 20, 40 ... grey."""
    first, *rest = (Image.new("RGB", (16, 16), (20 * i,) * 3) for i in range(count))
    return saved(folder, first, name, save_all=True, append_images=rest, **options)


ANIMATED = [
    ("a.gif", {}),
    ("a.webp", {"lossless": True}),
    ("a.png", {"default_image": False}),
]


def levels(clip):
    return (clip[:, 4, 4, 0].astype(int) / 20).round().tolist()


# Modes.


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("RGB", "a.png"),
        ("RGB", "a.bmp"),
        ("RGB", "a.webp"),
        ("RGBA", "a.png"),
        ("P", "a.png"),
        ("P", "a.gif"),
        ("CMYK", "a.tif"),
        ("RGB", "a.ppm"),
    ],
)
def test_colours(tmp_path, mode, name):
    options = {"lossless": True} if name.endswith("webp") else {}
    read = read_picture(saved(tmp_path, halves(mode), name, **options))
    assert read.shape == (1, 4, 8, 3) and read.dtype == np.uint8
    assert np.abs(read[0].astype(int) - np.asarray(halves())).max() <= 2


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_jpeg(tmp_path, mode):
    image = Image.fromarray(smooth()).convert(mode)
    read = read_picture(saved(tmp_path, image, "a.jpg", quality=95))
    assert np.abs(read[0].astype(int) - np.asarray(image.convert("RGB"))).mean() < 3


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(np.array([[0, 128 << 8, 65535]], np.uint16)), [0, 128, 255]),
        (Image.fromarray(np.array([[True, False]])), [255, 0]),
        (grey(7), [7] * 6),
    ],
    ids=["16-bit", "1-bit", "grey"],
)
def test_greys(tmp_path, image, expected):
    read = read_picture(saved(tmp_path, image, "a.png"))
    assert read[0, 0].tolist() == [[value] * 3 for value in expected]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, 0.5, 1, np.nan], [0, 127, 255, 0]),
        ([0, 0.1, 0.1, 0.1], [0, 25, 25, 25]),
        ([0, 128, 255, 64], [0, 128, 255, 64]),
        ([0, 0.5, 1, 2], [0, 63, 127, 255]),
        ([0, 1000, 2000, 4000], [0, 63, 127, 255]),
        ([-1, 0, 1, 3], [0, 63, 127, 255]),
        ([0, 1, np.inf, -np.inf], [0, 255, 255, 0]),
    ],
)
def test_floats(tmp_path, numbers, expected):
    image = Image.fromarray(np.array([numbers], np.float32))
    assert read_picture(saved(tmp_path, image, "a.tif"))[0, 0, :, 0].tolist() == expected


def test_a_picture_without_a_number_is_refused(tmp_path):
    image = Image.fromarray(np.full((2, 2), np.nan, np.float32))
    with pytest.raises(PictureError, match="no pixel is a number"):
        read_picture(saved(tmp_path, image, "a.tif"))


@pytest.mark.parametrize(
    ("numbers", "dtype", "expected"),
    [
        ([0, 1000, 4000, 4095], np.uint16, [0, 62, 250, 255]),
        ([0, 100, 200, 255], np.uint16, [0, 100, 200, 255]),
        ([0, 256, 32768, 65535], np.uint16, [0, 1, 128, 255]),
        ([0, 256, 32768, 65535], np.int32, [0, 1, 128, 255]),
        ([0, 1 << 20, 1 << 21, 1 << 22], np.int32, [0, 63, 127, 255]),
        ([-2, 0, 1, 2], np.int32, [0, 127, 191, 255]),
    ],
)
def test_whole_numbers_of_many_bits(tmp_path, numbers, dtype, expected):
    for name in ["a.tif"] + ["a.png"] * (dtype == np.uint16):
        path = saved(tmp_path, Image.fromarray(np.array([numbers], dtype)), name)
        assert read_picture(path)[0, 0, :, 0].tolist() == expected


def tiff(numbers, bits, format=1):
    """A grey TIFF of one row that Pillow cannot write."""
    import struct

    entries = [(256, len(numbers)), (257, 1), (258, bits), (259, 1), (262, 1), (273, 0)]
    entries += [(277, 1), (278, 1), (279, 0), (339, format)]
    if bits == 12:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        data = b"".join((one << 12 | other).to_bytes(3, "big") for one, other in pairs)
    else:
        data = np.array(numbers, f"<u{bits // 8}").tobytes()
    first = 8 + 2 + 12 * len(entries) + 4
    entries = [(tag, {273: first, 279: len(data)}.get(tag, value)) for tag, value in entries]
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + b"\0" * 4 + data


@pytest.mark.parametrize(
    ("numbers", "bits", "expected"),
    [
        ([0, 16, 100, 200], 12, [0, 1, 6, 12]),
        ([0, 2048, 4080, 4095], 12, [0, 128, 255, 255]),
        ([0, 1 << 30, 1 << 31, (1 << 32) - 1], 32, [0, 63, 127, 255]),
    ],
)
def test_scientific_tiffs(tmp_path, numbers, bits, expected):
    (tmp_path / "a.tif").write_bytes(tiff(numbers, bits))
    assert read_picture(tmp_path / "a.tif")[0, 0, :, 0].tolist() == expected


def test_lab(tmp_path):
    from PIL import ImageCms

    image = Image.new("RGB", (8, 4), RED)
    image.paste(WHITE, (4, 0, 8, 4))
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
    read = read_picture(saved(tmp_path, image, "a.tif"))[0].astype(int)
    assert np.abs(read[:, :4] - RED).max() <= 6 and np.abs(read[:, 4:] - WHITE).max() <= 6


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L"])
def test_what_is_transparent_is_white(tmp_path, mode):
    if mode in ("RGBA", "LA"):
        image = Image.new("RGBA", (8, 4), (0, 0, 0, 0))
        image.paste((0, 0, 0, 255), (0, 0, 4, 4))
        path = saved(tmp_path, image.convert(mode), "a.png")
    else:
        image = Image.new("RGB", (8, 4), (10, 10, 10))
        image.paste((0, 0, 0), (0, 0, 4, 4))
        image = image.quantize(2) if mode == "P" else image.convert(mode)
        clear = image.getpixel((7, 0))
        path = saved(tmp_path, image, "a.png", transparency=clear)
    read = read_picture(path)[0]
    assert (read[:, :4] == 0).all() and (read[:, 4:] == 255).all()


def test_half_transparent_is_pale(tmp_path):
    path = saved(tmp_path, Image.new("RGBA", (2, 2), (255, 0, 0, 128)), "a.png")
    assert read_picture(path)[0, 0, 0].tolist() == [255, 127, 127]


# Sizes and turns.


def test_squashed(tmp_path):
    path = saved(tmp_path, halves().resize((80, 40), Image.Resampling.NEAREST), "a.png")
    read = read_picture(path, (10, 6))[0]
    assert read.shape == (10, 6, 3)
    assert read[:, 0].tolist() == [list(RED)] * 10 and read[:, -1].tolist() == [list(BLUE)] * 10


def test_a_large_jpeg_is_halved_by_its_decoder_without_harm(tmp_path):
    pixels = np.asarray(Image.fromarray(smooth()).resize((1600, 1200), Image.Resampling.BICUBIC))
    path = saved(tmp_path, Image.fromarray(pixels), "a.jpg", quality=95)
    expected = Image.open(path).resize((64, 48), Image.Resampling.BICUBIC)
    read = read_picture(path, (48, 64))[0].astype(int)
    assert np.abs(read - np.asarray(expected)).max() <= 3


@pytest.mark.parametrize("orientation", [*range(1, 9), 9])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
def test_upright(tmp_path, orientation, name):
    def written(array):
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"quality": 100} if name.endswith(("jpg", "webp")) else {}
        return saved(tmp_path, Image.fromarray(array), name, exif=exif, **options)

    # What a camera that was held so stores of the scene, by the table of the EXIF standard.
    scene = smooth()
    stored = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }.get(orientation, lambda a: a)(scene)
    path = written(np.ascontiguousarray(stored))
    for size in (None, (24, 32)):
        expected = scene if size is None else np.asarray(Image.fromarray(scene).resize((32, 24)))
        read = read_picture(path, size)[0].astype(int)
        assert read.shape == expected.shape and np.abs(read - expected).mean() < 4


def test_damaged_exif_harms_nothing(tmp_path):
    path = saved(tmp_path, halves(), "a.jpg", exif=b"Exif\0\0MM\0*" + b"\xff" * 30)
    assert read_picture(path).shape == (1, 4, 8, 3)


# Clips.


@given(st.integers(1, 200), st.integers(1, 40))
def test_chosen_frames_are_evenly_spaced(there, frames):
    some = choose_frames(there, frames)
    assert some == sorted(set(some)) and len(some) == min(there, frames)
    assert 0 <= some[0] and some[-1] < there
    if there > frames:
        gaps = np.diff([-1 - some[0], *some, 2 * there - 1 - some[-1]])
        assert max(gaps) - min(gaps) <= 2
    assert choose_frames(there, 1) == [there // 2]


@pytest.mark.parametrize(("name", "options"), ANIMATED)
def test_animated(tmp_path, name, options):
    path = animated(tmp_path, name, **options)
    assert levels(read_picture(path, frames=20)) == list(range(10))
    assert levels(read_picture(path, (8, 8), frames=4)) == [1, 3, 6, 8]
    assert levels(read_picture(path)) == [5]
    assert read_picture(path, (8, 8), frames=4).shape == (4, 8, 8, 3)


def test_pages_are_no_clip(tmp_path):
    path = animated(tmp_path, "a.tif")
    assert levels(read_picture(path, frames=20)) == [0]


def video(path, count=30, codec="mpeg4", rotation=0, **options):
    av = pytest.importorskip("av")
    with av.open(path, "w") as file:
        try:
            rate = 25 if codec == "mpeg2video" else 10
            stream = file.add_stream(codec, rate=rate, options=options)
        except Exception:
            pytest.skip(f"no {codec}")
        stream.bit_rate = 4_000_000
        if rotation:
            stream.set_display_rotation(rotation)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(count):
            pixels = np.full((48, 64, 3), 8 * i, np.uint8)
            pixels[:24] = smooth()[:24]
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    return path


VIDEOS = [
    ("a.mp4", "mpeg4", {"g": "12", "bf": "2"}),
    ("a.mp4", "libx264", {"g": "12"}),
    ("a.mov", "mpeg4", {"g": "1"}),
    ("a.avi", "mpeg4", {"g": "7", "bf": "2"}),
    ("a.webm", "libvpx-vp9", {"g": "12"}),
    ("a.mkv", "mpeg4", {"g": "300"}),
]


# In these a cut file is a shorter one, and a frame has the time when it is decoded.
STREAMS = [
    ("a.ts", "mpeg2video", {"g": "4", "bf": "2"}),
    ("a.ts", "libx264", {"g": "12"}),
    ("a.mpg", "mpeg2video", {"g": "7", "bf": "0"}),
]


@pytest.mark.parametrize(("name", "codec", "options"), VIDEOS + STREAMS)
def test_videos(tmp_path, name, codec, options):
    path = video(tmp_path / name, codec=codec, **options)
    for frames, expected in ((40, range(30)), (5, (3, 9, 15, 21, 27)), (1, (15,))):
        read = read_picture(path, frames=frames)
        assert read.shape == (len(expected), 48, 64, 3)
        found = read[:, 40, 20].mean(axis=-1) / 8
        assert np.abs(found - np.array(expected)).max() < 0.6
        assert np.abs(read[:, :20].astype(int) - smooth()[:20]).mean() < 8
    assert read_picture(path, (10, 20), 3).shape == (3, 10, 20, 3)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_phone_that_was_held_upright(tmp_path, rotation):
    """Frames are turned counterclockwise by what the file says, as ffmpeg does."""
    av = pytest.importorskip("av", "17")
    path = video(tmp_path / "a.mp4", rotation=rotation)
    with av.open(str(path)) as file:
        assert next(file.decode(video=0)).rotation % 360 == rotation % 360
    expected = np.rot90(read_picture(video(tmp_path / "b.mp4"))[0], rotation // 90)
    assert np.array_equal(read_picture(path)[0], expected)


@pytest.mark.parametrize(("name", "codec", "options"), VIDEOS)
def test_videos_that_are_cut_off(tmp_path, name, codec, options):
    path = video(tmp_path / name, codec=codec, **options)
    data = path.read_bytes()
    for part in (0.3, 0.9):
        path.write_bytes(data[: int(part * len(data))])
        with pytest.raises(PictureError):
            read_picture(path, frames=4)
    path.write_bytes(b"no video at all" * 20)
    with pytest.raises(PictureError, match="not a picture file, or a damaged one"):
        read_picture(path)


# Files that cannot be used.


def test_what_there_is_not(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    for path, kind in (
        (tmp_path / "none.png", "there is no such picture"),
        (tmp_path, "a folder, not a file"),
        (tmp_path / "empty.png", "the file is empty"),
        (tmp_path / "text.jpg", "not a picture file, or a damaged one"),
        ("https://a.org/b.png", "a URL, which is not fetched: download it first"),
    ):
        with pytest.raises(PictureError) as caught:
            read_picture(path)
        assert caught.value.kind == kind and str(caught.value) == f"{path}: {kind}."


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *ANIMATED,
        ("still.jpg", {"quality": 90}),
        ("progressive.jpg", {"quality": 90, "progressive": True}),
        ("still.png", {}),
        ("still.webp", {"lossless": True}),
        ("still.bmp", {}),
        ("still.tif", {}),
        ("still.gif", {}),
    ],
)
@pytest.mark.parametrize("size", [None, (12, 16)])
def test_a_picture_that_is_cut_off_is_not_taken(tmp_path, name, options, size):
    if name.startswith("a."):
        path = animated(tmp_path, name, **options)
    else:
        noise = RNG.integers(0, 256, (96, 128, 3)).astype(np.uint8)
        path = saved(tmp_path, Image.fromarray(noise), name, **options)
    data = path.read_bytes()
    assert len(read_picture(path, size, 4)) == (4 if name.startswith("a.") else 1)
    for part in (0.1, 0.5, 0.75, 0.95):
        path.write_bytes(data[: int(part * len(data))])
        with pytest.raises(PictureError, match="the picture is cut off|not a picture file, or a"):
            read_picture(path, size, 4)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_damage_is_found_or_harmless(tmp_path_factory, data):
    """Whatever the bytes, there is a picture or one clear error."""
    folder = tmp_path_factory.mktemp("any")
    name = data.draw(st.sampled_from(["a.gif", "a.webp", "a.png", "b.jpg", "b.tif", "b.bmp"]))
    if name.startswith("a"):
        path = animated(folder, name, 3)
    else:
        path = saved(folder, Image.fromarray(smooth()), name)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        clip = read_picture(path, (8, 8), 2)
    except PictureError:
        return
    assert clip.dtype == np.uint8 and clip.shape[1:] == (8, 8, 3)


def png_of(width, height):
    """A PNG that says that it is so large, and has hardly any pixels."""
    import struct
    import zlib

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0"))


@pytest.mark.parametrize("side", [9_600, 40_000])
def test_a_bomb_is_refused_by_its_header(tmp_path, side, recwarn):
    (tmp_path / "a.png").write_bytes(png_of(side, side))
    errors = []

    def read():
        try:
            read_picture(tmp_path / "a.png", (8, 8))
        except PictureError as error:
            errors.append(error.kind)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == ["more than 89 million pixels"] * 8 and not recwarn.list


def test_missing_packages(tmp_path, monkeypatch):
    import sys

    path = saved(tmp_path, halves(), "a.png")
    (tmp_path / "a.mp4").write_bytes(b"1")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r"kerasseq\[pictures\]"):
        read_picture(tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UserError, match=r"kerasseq\[pictures\]"):
        read_picture(path)


# The preprocessor.

TEXTS = ["A dog runs.", "Two dogs run!", "A man's red  hat"]


def test_captions():
    preprocessor = CaptionPreprocessor.learn(TEXTS)
    assert preprocessor.normalize(TEXTS) == ["a dog runs", "two dogs run", "a man's red hat"]
    tokens, labels, weights = preprocessor.targets(TEXTS)
    assert labels.shape == tokens.shape == (3, 8) and (weights == (labels != 0)).all()
    assert (labels == 3).sum(1).tolist() == [1] * 3 and (tokens[:, 0] == 2).all()
    assert preprocessor.detokenize(labels) == preprocessor.normalize(TEXTS)
    assert preprocessor.unknown(["a cat", "the cat"]) == [["cat"], ["the", "cat"]]
    assert preprocessor.padded_length(9, "target") == 16
    short = CaptionPreprocessor(preprocessor.tokenizer("target"), max_target_length=3)
    with pytest.warns(UserWarning, match="3 of 3 captions are longer than 3 pieces"):
        assert short.detokenize(short.targets(TEXTS)[1]) == ["a dog", "two dogs", "a man's"]


def test_features(tmp_path):
    preprocessor = CaptionPreprocessor.learn(TEXTS, size=(12, 16), frames=6)
    path = animated(tmp_path, "a.gif")
    still = saved(tmp_path, halves(), "b.png")
    features = preprocessor.features([path, str(still), smooth(), np.stack([smooth()] * 3)])
    values, mask = features["values"], features["mask"]
    assert values.shape == (4, 6, 12, 16, 3) and values.dtype == np.uint8 and mask.dtype == bool
    assert mask.sum(1).tolist() == [6, 1, 1, 3] and not values[~mask].any()
    assert levels(values[0]) == [0, 2, 4, 5, 7, 9]
    assert (values[1, 0] == read_picture(still, (12, 16))).all()
    assert (values[2, 0] == values[3, 1]).all()
    assert preprocessor.features([still])["values"].shape == (1, 1, 12, 16, 3)
    assert preprocessor.features([])["values"].shape == (0, 1, 12, 16, 3)
    assert [preprocessor.padded_length(n) for n in range(1, 7)] == [1, 2, 4, 4, 6, 6]


def test_bad_features(tmp_path):
    preprocessor = CaptionPreprocessor.learn(TEXTS, size=(12, 16))
    for array in (
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 4, 3), np.uint8),
    ):
        with pytest.raises(UserError, match="Picture 1 must be a path or an array"):
            preprocessor.features([smooth(), array])
    with pytest.raises(PictureError, match="none.png: there is no such picture"):
        preprocessor.features([tmp_path / "none.png"])
    with pytest.raises(UserError, match="size must be a list of 2"):
        CaptionPreprocessor.learn(TEXTS, size=(0, 4))


def test_its_configuration(tmp_path):
    preprocessor = CaptionPreprocessor.learn(TEXTS, size=(12, 16), frames=4, max_target_length=9)
    config = preprocessor.get_config()
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(preprocessor))
    assert copy.get_config() == config and copy.size == (12, 16) and copy.end
    preprocessor.save_assets(str(tmp_path))
    copy.load_assets(str(tmp_path))
    for one, other in zip(copy.targets(TEXTS), preprocessor.targets(TEXTS), strict=True):
        assert (one == other).all()
