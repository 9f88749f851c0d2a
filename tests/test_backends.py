"""A file that one backend saved is read by the others, and the tests' option chooses them."""

import json
import os
import subprocess
import sys

import pytest

from kerasseq import backend
from kerasseq.generation import Beam
from kerasseq.models import Options
from kerasseq.preprocessing import TextPreprocessor
from tests.conftest import BACKENDS
from tests.contracts.test_models import PAIRS, SOURCES
from tests.contracts.zoo import model_of

READ = """
import json, sys
import kerasseq, keras
model = keras.saving.load_model(sys.argv[1])
options = kerasseq.Options(kerasseq.Beam(3), max_length=12)
print(json.dumps(model.generate(json.loads(sys.argv[2]), options)))
"""


@pytest.mark.parametrize("other", [name for name in BACKENDS if name != backend.name()])
def test_a_fresh_process_on_another_backend_writes_the_same(other, tmp_path):
    pytest.importorskip(other)
    model = model_of("transformer", TextPreprocessor.learn(PAIRS, "char", 40))
    model.save(tmp_path / "model.keras")
    out = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "model.keras"), json.dumps(SOURCES)],
        env={**os.environ, "KERAS_BACKEND": other},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    texts = model.generate(SOURCES, Options(Beam(3), max_length=12), jit=False)
    assert json.loads(out.splitlines()[-1]) == texts


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_backend_that_there_is_not_is_refused():
    done = run("--backends", "jax,theano")
    assert done.returncode == 4
    assert "'theano' is none of tensorflow, jax, torch" in done.stderr


def test_a_failure_names_its_backend(tmp_path):
    """Each backend has a process of its own, and only what is marked runs there."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_it.py").write_text(
        "import os\n"
        "import pytest\n"
        "@pytest.mark.backends\n"
        "def test_marked():\n"
        "    assert os.environ['KERAS_BACKEND'] == 'tensorflow'\n"
        "def test_unmarked():\n"
        "    assert False\n"
    )
    done = run("--backends=tensorflow,jax", "-c", "pyproject.toml", str(tmp_path / "test_it.py"))
    assert done.returncode == 1
    assert "FAILED on jax: " in done.stdout and "::test_marked" in done.stdout
    assert "FAILED on tensorflow" not in done.stdout and "test_unmarked" not in done.stdout
    assert done.stdout.endswith("tensorflow: passed\njax: FAILED, exit status 1\n")
