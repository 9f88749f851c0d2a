"""What every head's presets must be."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import kerasseq
from kerasseq import backend
from kerasseq.presets import list_presets

ROOT = Path(__file__).parent.parent
OTHERS = [b for b in ("tensorflow", "jax", "torch") if b != backend.name() and find_spec(b)]
MOST = 12 * 2**20
"""Bytes of a file."""


def of_head(head: str) -> list[str]:
    """The names of a head's presets."""
    return [name for name, path in list_presets().items() if head in path.parts]


def checked(name: str, head: str, figure: str) -> Any:
    """The model, once its file and its card are in order and the head's README tells of it.

    Args:
        figure: what the README says of its test, with the card's "test" to be filled in.
    """
    model = kerasseq.load(name)
    readme = (ROOT / "applications" / head / "README.md").read_text("utf-8")
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{name}` |"))
    assert f"{model.count_params():,}" in row
    assert figure.format(**model.card["test"]) in row
    assert list_presets()[name].stat().st_size <= MOST
    assert model.card["licence"]
    json.dumps(model.card)
    return model


def elsewhere(module: str, other: str) -> Any:
    """What `module.written()` gives in a fresh process on another backend."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, {module} as m\nprint(json.dumps(m.written()))"],
        env={**os.environ, "KERAS_BACKEND": other},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
