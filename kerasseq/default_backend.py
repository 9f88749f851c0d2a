"""Which backend Keras starts with, where the user did not say."""

import importlib
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")


def choose() -> None:
    """Set KERAS_BACKEND to an installed backend, unless it is set or Keras is there already.

    The backend in Keras's own configuration file, or else TensorFlow, comes first: Keras would
    fail on it where it is not installed. TensorFlow is imported here, without the notes that it
    writes to the terminal on every machine without a GPU.

    Raises:
        ImportError: no backend is installed.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "KERAS_BACKEND" not in os.environ:
        os.environ["KERAS_BACKEND"] = _first_installed()
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        _import_quietly("tensorflow")


def _first_installed() -> str:
    for backend in (_configured(), *BACKENDS):
        if backend and importlib.util.find_spec(backend):
            return backend
    raise ImportError(
        "kerasseq needs TensorFlow, JAX or PyTorch: pip install kerasseq[tensorflow], "
        "kerasseq[jax] or kerasseq[torch]."
    )


def _import_quietly(module: str) -> None:
    """Import what writes notes to the terminal from C++; shown only if the import fails."""
    try:
        terminal = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # standard error is no file, as in a notebook
        return
    sys.stderr.flush()
    kept = os.dup(terminal)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), terminal)
        try:
            importlib.import_module(module)
        except BaseException:
            notes.seek(0)
            os.write(kept, notes.read())
            raise
        finally:
            os.dup2(kept, terminal)
            os.close(kept)


def _configured() -> str | None:
    home = os.environ.get("KERAS_HOME", "~/.keras")
    try:
        return json.loads(Path(home, "keras.json").expanduser().read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
