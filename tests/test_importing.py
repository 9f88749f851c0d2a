"""What `import kerasseq` brings, and what the command does before Keras is there."""

import ast
import json
import os
import subprocess
import sys

import keras
import pytest

import kerasseq
from kerasseq.default_backend import BackendError, check_name
from kerasseq.errors import UserError
from tests.test_architecture import ROOT, sources

REGISTERED = "print(sorted(n for n in keras.saving.get_custom_objects() if n[:9] == 'kerasseq>'))"


def run(*code, env=None, command=("-c",)):
    """Run Python lines, or a command line, in a process of their own."""
    return subprocess.run(
        [sys.executable, *command, *(["\n".join(code)] if command == ("-c",) else code)],
        env={**os.environ, **(env or {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def registered_names():
    """Those that the decorators in the sources give."""
    for path in sources("kerasseq"):
        for node in ast.walk(ast.parse(path.read_text())):
            for made in (
                getattr(node, "decorator_list", ()) if isinstance(node, ast.ClassDef) else ()
            ):
                if "register_keras_serializable" in ast.unparse(made):
                    yield f"{made.args[0].value}>{made.args[1].value}"
                elif ast.unparse(made).startswith("register("):
                    yield from (f"kerasseq>{old.value}" for old in made.args)
                    yield f"kerasseq>{node.name}"


@pytest.mark.parametrize(
    "lines",
    [
        ("import kerasseq", "assert 'keras' not in sys.modules", "import keras"),
        ("from kerasseq.encoders import RNNEncoder", "import keras"),
        ("import keras", "import kerasseq"),
    ],
    ids=["kerasseq first", "a part first", "keras first"],
)
def test_keras_finds_all_classes(lines):
    done = run("import sys", *lines, REGISTERED, env={"KERAS_BACKEND": "jax"})  # the quickest
    assert json.loads(done.stdout.replace("'", '"')) == sorted(registered_names()), done.stderr


def test_names_are_there_when_they_are_asked_for():
    for package in (kerasseq, kerasseq.data, kerasseq.preprocessing):
        for name in package.__all__:
            assert getattr(package, name) is getattr(package, name)
            assert name in dir(package)
    with pytest.raises(AttributeError, match="'kerasseq.data' has no attribute 'nothing'"):
        kerasseq.data.nothing  # noqa: B018


def test_lists_are_read_without_keras(tmp_path):
    (tmp_path / "a.tsv").write_text("one\teins\n")
    done = run(
        "import sys, kerasseq.data",
        "from kerasseq.data import FileCorpus, PictureCorpus, RecordingCorpus",
        "from kerasseq.data.public import datasets",
        f"print(list(FileCorpus(['{tmp_path}/a.tsv'])), 'keras' in sys.modules)",
    )
    assert done.stdout == "[('one', 'eins')] False\n", done.stderr


def test_commands_that_need_no_keras():
    line = "import sys; from kerasseq.cli import main; main({}); assert 'keras' not in sys.modules"
    done = run(line.format("['datasets']"), env={"KERAS_BACKEND": "none"})
    assert done.returncode == 0 and "multi30k" in done.stdout, done.stderr
    module = run("datasets", command=("-X", "importtime", "-m", "kerasseq"))
    assert module.stdout == done.stdout
    assert not {"keras", "tensorflow"} & {row.split()[-1] for row in module.stderr.splitlines()}


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("none", "kerasseq does not run on the Keras backend 'none': set KERAS_BACKEND to tensor"),
        ("jax", "KERAS_BACKEND is 'jax', which is not installed: pip install kerasseq[jax], or s"),
        ("", "kerasseq needs TensorFlow, JAX or PyTorch: pip install kerasseq[tensorflow], ker"),
    ],
)
def test_no_backend_is_one_sentence(tmp_path, backend, message):
    hide = (
        "import importlib.util as util, sys",
        "found = util.find_spec",
        "others = ('jax', 'torch', 'tensorflow')",
        "util.find_spec = lambda name, *more: None if name in others else found(name, *more)",
    )
    env = {"KERAS_BACKEND": backend, "KERAS_HOME": str(tmp_path)}
    command = run(*hide, "from kerasseq.cli import main", "main(['info', 'fsdd-digits'])", env=env)
    assert command.stderr.startswith(f"kerasseq: {message}") and command.stderr.count("\n") == 1
    python = run(*hide, "import kerasseq", "import keras", env=env)
    assert python.stderr.splitlines()[-1].startswith(
        f"kerasseq.default_backend.BackendError: {message}"
    )


def test_a_backend_that_does_not_start_is_named(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('libcuda.so is missing.\\nMore')")
    env = {"KERAS_BACKEND": "torch", "PYTHONPATH": str(tmp_path)}
    done = run("info", "fsdd-digits", env=env, command=("-m", "kerasseq"))
    assert done.stderr == "kerasseq: Keras cannot start on torch: libcuda.so is missing.\n"
    assert done.returncode == 2


def test_a_backend_of_kerass_own_that_is_not_ours():
    with pytest.raises(UserError, match="does not run on the Keras backend 'numpy'"):
        check_name("numpy")
    assert issubclass(BackendError, ImportError)
    check_name(keras.backend.backend())


@pytest.mark.parametrize(("level", "notes"), [("3", False), ("0", True)])
def test_tensorflow_writes_notes_only_when_asked(level, notes):
    code = "import kerasseq, keras, os; os.write(2, b'still open')"
    done = run(code, env={"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": level})
    assert done.returncode == 0 and done.stderr.endswith("still open")
    assert ("cpu_feature_guard" in done.stderr) == notes
