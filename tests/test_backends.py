"""The contracts hold on the other backends too, wherever they are installed."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from kerasseq import backend

OTHERS = [b for b in ("tensorflow", "jax", "torch") if b != backend.name() and find_spec(b)]
FILES = (
    *("contracts", "test_generation.py", "test_golden.py"),
    *("test_losses.py", "test_training.py", "test_self_critical.py", "test_resume.py"),
)


@pytest.mark.parametrize("other", OTHERS)
def test_contracts_on(other):
    folder = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", *(str(folder / file) for file in FILES)],
        env={**os.environ, "KERAS_BACKEND": other},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
