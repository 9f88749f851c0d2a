"""The speech recognisers that come with the library."""

import numpy as np
import pytest

import kerasseq
from kerasseq.errors import UserError
from kerasseq.models.stream import Stream
from tests import preset_files
from tests.thorough import thorough

PRESETS = preset_files.of_head("speech_recognition")


def test_they_are_there():
    kinds = ("ctc", "transducer", "attention", "transducer-attention", "hybrid")
    others = {"an4-transducer-stream", "fsdd-digits", "english-base"}
    assert {*PRESETS} == {*(f"an4-{kind}" for kind in kinds), *others}


def test_the_preset_for_streams_writes_soon_what_it_writes_of_the_whole():
    model = kerasseq.load("an4-transducer-stream")
    stream = Stream(model)
    assert stream.latency <= 0.64
    *_, voice = sounds(model.preprocessor.rate)
    for some in np.array_split(voice, 9):
        stream.push(some)
    text = model.generate([voice])[0]
    assert stream.finish() == stream.finish() == text
    with pytest.raises(UserError, match="was finished"):
        stream.push(voice)
    for wrong in (voice.astype("float32"), voice[:, None], [1, 2]):
        with pytest.raises(UserError, match="arrays .* of int16"):
            Stream(model).push(wrong)
    with pytest.raises(UserError, match="chunk must be a number above 0"):
        Stream(model, chunk=float("nan"))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_what_the_readme_says(name):
    preset_files.checked(name, "speech_recognition", "{WER:.2f}")


def sounds(rate: int) -> list[np.ndarray]:
    """Nothing, noise, and something that rises and falls as speech does."""
    rng = np.random.default_rng(0)
    time = np.arange(2 * rate) / rate
    voice = sum(np.sin(2 * np.pi * 110 * k * time + k) / k for k in range(1, 20))
    for formant in (3, 5):
        voice = voice * (1.2 + np.sin(2 * np.pi * formant * time))
    sounds = [np.zeros(rate), 500 * rng.normal(size=rate), 2000 * voice]
    return [(sound + rng.normal(size=len(sound))).astype("int16") for sound in sounds]


def written() -> dict[str, list[str]]:
    models = {name: kerasseq.load(name) for name in PRESETS}
    return {name: m.generate(sounds(m.preprocessor.rate)) for name, m in models.items()}


@thorough
def test_presets_hear_the_same_on_other_backends():
    heard = written()
    assert any(text for texts in heard.values() for text in texts)
    for other in preset_files.OTHERS:
        assert preset_files.elsewhere(__name__, other) == heard, other
