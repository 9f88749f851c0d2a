"""The captioners that come with the library."""

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
from tests import squares

README = Path(__file__).parent.parent / "applications" / "captioning" / "README.md"
PRESETS = {name: path for name, path in presets.presets().items() if "captioning" in path.parts}
OTHERS = [b for b in ("tensorflow", "jax", "torch") if b != backend.name() and find_spec(b)]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_what_the_readme_says(name):
    model = kerasseq.load(name)
    row = next(line for line in README.read_text().splitlines() if f"`{name}`" in line)
    assert f"{model.count_params():,}" in row
    assert f"{model.card['test']['CIDEr-D']:.1f}" in row
    assert PRESETS[name].stat().st_size <= 12 * 2**20
    assert model.card["licence"]
    json.dumps(model.card)


def pictures(size: tuple[int, int]) -> list[np.ndarray]:
    """Squares on grey, and waves of colour."""
    rng = np.random.default_rng(0)
    some = [squares.picture(colour, "left", rng) for colour in squares.COLOURS]
    scaled = [np.kron(one, np.ones((4, 4, 1), "uint8")) for one in some]
    rows, columns = np.mgrid[: size[0], : size[1]] / size[0]
    waves = [np.sin(k * rows * columns + k) for k in (9, 15, 22)]
    return [*scaled, (127 * (1 + np.stack(waves, -1))).astype("uint8")]


def test_presets_see_the_same_on_other_backends():
    seen = {}
    for name in PRESETS:
        model = kerasseq.load(name)
        seen[name] = model.generate(pictures(model.preprocessor.size))
    assert all(len(set(texts)) > 1 for texts in seen.values())
    script = (
        "import json, kerasseq, tests.test_captioning_presets as t\n"
        "models = {name: kerasseq.load(name) for name in t.PRESETS}\n"
        "print(json.dumps({name: model.generate(t.pictures(model.preprocessor.size))"
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
        assert json.loads(done.stdout.splitlines()[-1]) == seen, other
