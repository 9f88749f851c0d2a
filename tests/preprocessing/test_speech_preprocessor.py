import shutil
import sys
import unicodedata

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasseq.errors import UserError
from kerasseq.media.sound import SoundError, change_speed, read_sound
from kerasseq.preprocessing import SpeechPreprocessor
from kerasseq.preprocessing.normalization import SPOKEN, STEPS, normalize_texts
from kerasseq.preprocessing.padding import sound_ladder_length
from tests.preprocessing.test_text_preprocessor import saved

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

TEXTS = ["Yes, it is.", "<noise> Don't go", "one  TWO (three)", "it is not one"]
RATE = 16000


def tone(seconds, rate=RATE, hertz=440.0, level=8000):
    return (np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * hertz / rate) * level).astype(
        np.int16
    )


def pitch(samples, rate=RATE):
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return spectrum.argmax() * rate / len(samples)


@pytest.fixture(scope="module", params=[False, True], ids=["open", "ended"])
def preprocessor(request):
    return SpeechPreprocessor.learn(TEXTS, end=request.param, max_seconds=2.0)


# Files.


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.sph"])
def test_a_sound_without_loss_is_read_to_the_bit(tmp_path, name):
    samples = np.random.default_rng(0).integers(-32768, 32768, 3000).astype(np.int16)
    soundfile.write(tmp_path / name, samples, RATE, format="NIST" if name == "a.sph" else None)
    assert (read_sound(tmp_path / name, RATE) == samples).all()
    part = read_sound(tmp_path / name, RATE, 0.05, 0.1)
    assert (part == samples[800:1600]).all()


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_any_rate_and_any_channels(tmp_path, name, rate):
    left = tone(1.0, rate)
    stereo = np.stack([left, np.zeros_like(left)], axis=1) / 32768.0
    soundfile.write(tmp_path / name, stereo, rate)
    samples = read_sound(tmp_path / name, RATE)
    assert samples.dtype == np.int16 and abs(len(samples) - RATE) < 0.1 * RATE
    assert abs(pitch(samples) - 440) < 3
    assert abs(np.abs(samples[4000:12000]).max() - 4000) < 200


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.sph"])
def test_a_file_that_was_cut_off_is_not_taken(tmp_path, name):
    path = tmp_path / name
    soundfile.write(path, tone(2.0), RATE, format="NIST" if name == "a.sph" else None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SoundError, match=f"{name}: (the recording is cut off|not a sound file)"):
        read_sound(path, RATE)


def test_a_wav_from_a_pipe_has_no_size(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0), RATE)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff" * 4
    path.write_bytes(data)
    assert len(read_sound(path, RATE)) == RATE


def test_what_is_no_sound_is_named(tmp_path):
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "none.wav", tone(0), RATE)
    soundfile.write(tmp_path / "long.wav", tone(1.5), RATE)
    for name, part, message in (
        ("missing.wav", (), "missing.wav: there is no such recording"),
        ("text.wav", (), "not a sound file"),
        ("empty.wav", (), "the file is empty"),
        ("none.wav", (), "the recording is empty"),
        ("long.wav", (0, None, 1.0), "longer than 1 s"),
        ("long.wav", (1, 3), "ends before the part"),
        ("long.wav", (1, 0.5), "the part that is asked for is empty"),
    ):
        with pytest.raises(SoundError, match=message):
            read_sound(tmp_path / name, RATE, *part)


@pytest.mark.parametrize("package", ["soundfile", "soxr"])
def test_without_its_packages_there_is_a_sentence(tmp_path, monkeypatch, package):
    soundfile.write(tmp_path / "a.wav", tone(0.1), 8000)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf'{package}: pip install "kerasseq\[audio\]"'):
        read_sound(tmp_path / "a.wav", RATE)


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_change_speed_plays_faster_and_higher(factor):
    samples = change_speed(tone(1.0), factor)
    assert samples.dtype == np.int16 and abs(len(samples) - RATE / factor) <= 1
    assert abs(pitch(samples) - 440 * factor) < 3


# Text.


def test_normalisation():
    text = "<s> The ﬁne “Café”, it’s [laughter] 5 o'clock—'now'! </s>"
    assert normalize_texts([text], SPOKEN) == ["the fine café it's 5 o'clock now"]
    assert normalize_texts(["Éa\t b "], ["accents", "spaces"]) == ["Ea b"]
    with pytest.raises(UserError, match="no step 'shout'"):
        SpeechPreprocessor.learn(TEXTS, steps=("lower", "shout"))


def test_steps_that_models_name_stay():
    steps = ("invisible", "nfkc", "lower", "notes", "punctuation")
    steps += ("remains", "accents", "spaces")
    assert tuple(STEPS) == steps


@given(st.text())
def test_what_is_left_is_words(text):
    (left,) = normalize_texts([text], SPOKEN)
    assert left == " ".join(left.split())
    assert {sign for sign in left if unicodedata.category(sign)[0] in "PS"} <= {"'"}


def test_targets(preprocessor):
    tokens, labels, weights = preprocessor.targets(TEXTS)
    end = int(preprocessor.end)
    assert labels.shape == weights.shape and labels.dtype == np.int32
    assert tokens.shape == (4, labels.shape[1] + 1 - end)
    assert (weights == (labels != 0)).all() and weights.dtype == np.float32
    assert (tokens[:, 0] == 2).all() and (1 not in labels)
    lengths = weights.sum(1).astype(int)
    for row, label, length in zip(tokens, labels, lengths, strict=True):
        assert (label[length - 1] == 3) == preprocessor.end and not label[length:].any()
        assert (row[1 : length + 1 - end] == label[: length - end]).all()
        assert not row[length + 1 - end :].any()
    texts = ["yes it is", "don't go", "one two three", "it is not one"]
    assert preprocessor.detokenize(labels) == texts == preprocessor.normalize(TEXTS)


def test_a_long_transcript_is_cut_with_a_warning(preprocessor):
    short = SpeechPreprocessor(preprocessor.tokenizer("target"), end=preprocessor.end)
    short.max_target_length = 5
    with pytest.warns(UserWarning, match="1 of 2 transcripts are longer than 5 pieces"):
        _, labels, _ = short.targets(["one two three", "go"])
    assert (labels[0] != 0).sum() == 5 and (labels[0, 4] == 3) == short.end
    assert short.detokenize(labels) == ["one" if short.end else "one ", "go"]


def test_unknown():
    characters = SpeechPreprocessor.learn(["abc ab", "c"])
    assert characters.unknown(["a ñö b", "ñ!", "cab"]) == [["ñ", "ö"], ["ñ"], []]
    words = SpeechPreprocessor.learn(["AH B K", "K AH"], "word", steps=("spaces",))
    assert words.unknown(["AH T", "T T B AO"]) == [["T"], ["T", "T", "AO"]]
    assert words.detokenize(words.targets(["K AH B"])[1]) == ["K AH B"]


# Arrays.


def test_ladder():
    assert sorted({sound_ladder_length(n) for n in range(1, 400)}) == [
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        512,
    ]
    for n in range(4, 2000):
        assert n <= sound_ladder_length(n) < 2 * n


def test_features(preprocessor, tmp_path):
    soundfile.write(tmp_path / "a.flac", tone(0.43, 8000), 8000)
    recordings = [str(tmp_path / "a.flac"), tone(0.61), tone(0.3) / 32768.0]
    features = preprocessor.features(recordings)
    values, mask = features["values"], features["mask"]
    assert values.shape == mask.shape == (3, 12800)
    assert values.dtype == np.int16 and mask.dtype == bool
    assert mask.sum(1).tolist() == [6880, 9760, 4800]
    assert (values[2, :4800] == tone(0.3)).all() and not values[~mask].any()
    assert preprocessor.padded_length(9760) == 12800
    assert preprocessor.padded_length(9, "target") == 16
    assert preprocessor.features([])["values"].shape == (0, 6400)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_of_16_bit_numbers(preprocessor, dtype):
    numbers = np.array([0, 1, -2, 300, -3000, 2048])
    features = preprocessor.features([numbers.astype(dtype), numbers.astype(np.int16)])
    assert (features["values"][0] == features["values"][1]).all()


def test_bad_arrays(preprocessor):
    for array, message in (
        (np.zeros((2, 3), np.int16), r"not int16 \(2, 3\)"),
        (np.zeros(0, np.int16), "Recording 1 must be"),
        (np.zeros(9, np.int32), "samples of int32"),
        (np.array([0.1, np.nan]), r"Recording 1: some samples are no numbers \(NaN"),
        (np.array([0.1, 50.5]), r"Recording 1: float samples up to 50.5"),
    ):
        with pytest.raises(UserError, match=message):
            preprocessor.features([tone(0.1), array])


def test_a_long_recording_is_cut_with_a_warning(preprocessor):
    with pytest.warns(UserWarning, match="recording 0 was cut after 2 s"):
        assert preprocessor.features([tone(2.5)])["mask"].sum() == 2 * RATE


# Files of models.


def test_a_model_file_keeps_it(preprocessor, tmp_path):
    copy = keras.saving.load_model(saved(preprocessor, tmp_path / "m.keras")).preprocessor
    assert copy.get_config() == preprocessor.get_config()
    for one, other in zip(copy.targets(TEXTS), preprocessor.targets(TEXTS), strict=True):
        assert (one == other).all()
    bare = SpeechPreprocessor.from_config(preprocessor.get_config())
    assert bare.target_vocabulary_size == preprocessor.target_vocabulary_size
    assert bare.digest("target") == preprocessor.digest("target")
    with pytest.raises(UserError, match="no vocabulary"):
        bare.targets(["yes"])
    preprocessor.save_assets(str(tmp_path))
    shutil.move(tmp_path / "target.model", tmp_path / "kept.model")
    bare.load_assets(str(tmp_path))
    with pytest.raises(UserError, match="no vocabulary"):
        bare.targets(["yes"])
