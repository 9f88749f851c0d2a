"""The speech recognisers that come with the library."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import kerasseq
from kerasseq import backend
from kerasseq.applications import presets
from kerasseq.models.stream import Stream

README = Path(__file__).parent.parent / "applications" / "speech_recognition" / "README.md"
PRESETS = {
    name: path for name, path in presets.presets().items() if "speech_recognition" in path.parts
}
OTHERS = [b for b in ("tensorflow", "jax", "torch") if b != backend.name() and find_spec(b)]


def test_they_are_there():
    kinds = ("ctc", "transducer", "attention", "transducer-attention", "hybrid")
    others = {"an4-transducer-stream", "fsdd-digits"}
    assert {*PRESETS} == {*(f"an4-{kind}" for kind in kinds), *others}


def test_the_preset_for_streams_writes_soon_what_it_writes_of_the_whole():
    model = kerasseq.load("an4-transducer-stream")
    stream = Stream(model)
    assert stream.latency <= 0.64
    *_, voice = sounds(model.preprocessor.rate)
    for some in np.array_split(voice, 9):
        stream.push(some)
    assert stream.finish() == model.generate([voice])[0]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_what_the_readme_says(name):
    model = kerasseq.load(name)
    row = next(line for line in README.read_text().splitlines() if f"`{name}`" in line)
    assert f"{model.count_params():,}" in row
    assert f"{model.card['test']['WER']:.2f}" in row
    assert PRESETS[name].stat().st_size <= 12 * 2**20
    assert model.card["licence"]
    json.dumps(model.card)


def sounds(rate: int) -> list[np.ndarray]:
    """Nothing, noise, and something that rises and falls as speech does."""
    rng = np.random.default_rng(0)
    time = np.arange(2 * rate) / rate
    voice = sum(np.sin(2 * np.pi * 110 * k * time + k) / k for k in range(1, 20))
    for formant in (3, 5):
        voice = voice * (1.2 + np.sin(2 * np.pi * formant * time))
    sounds = [np.zeros(rate), 500 * rng.normal(size=rate), 2000 * voice]
    return [(sound + rng.normal(size=len(sound))).astype("int16") for sound in sounds]


def test_presets_hear_the_same_on_other_backends():
    heard = {}
    for name in PRESETS:
        model = kerasseq.load(name)
        heard[name] = model.generate(sounds(model.preprocessor.rate))
    assert any(text for texts in heard.values() for text in texts)
    script = (
        "import json, kerasseq, tests.test_speech_presets as t\n"
        "models = {name: kerasseq.load(name) for name in t.PRESETS}\n"
        "print(json.dumps({name: model.generate(t.sounds(model.preprocessor.rate))"
        " for name, model in models.items()}))\n"
    )
    for other in OTHERS:
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "KERAS_BACKEND": other},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert json.loads(done.stdout.splitlines()[-1]) == heard, other
