"""Which backend Keras starts with, where the user did not say."""

import contextlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BACKENDS = ("tensorflow", "jax", "torch")


def choose() -> None:
    """Set KERAS_BACKEND to an installed backend, unless it is set or Keras is there already.

    The backend in Keras's own configuration file, or else TensorFlow, comes first: Keras would
    fail on it where it is not installed. TensorFlow is not imported yet, but when it is, then
    without the notes that it writes to the terminal on every machine without a GPU.

    Raises:
        ImportError: no backend is installed.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "KERAS_BACKEND" not in os.environ:
        os.environ["KERAS_BACKEND"] = _first_installed()
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _QuietFinder("tensorflow"))


def _first_installed() -> str:
    for backend in (_configured(), *BACKENDS):
        if backend and importlib.util.find_spec(backend):
            return backend
    raise ImportError(
        "kerasseq needs TensorFlow, JAX or PyTorch: pip install kerasseq[tensorflow], "
        "kerasseq[jax] or kerasseq[torch]."
    )


class _QuietFinder:
    """Finds a module as others do, once, and keeps its import from writing to the terminal."""

    def __init__(self, module: str):
        self.module = module

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def quietly(module: Any) -> None:
                with _quiet():
                    execute(module)

            spec.loader.exec_module = quietly
        return spec


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep notes, also those from C++, off the terminal, unless the block fails."""
    try:
        terminal = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # standard error is no file, as in a notebook
        yield
        return
    sys.stderr.flush()
    kept = os.dup(terminal)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), terminal)
        try:
            yield
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
