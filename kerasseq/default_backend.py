"""Chooses the backend of Keras if the user has not chosen one, and checks that it can start."""

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from kerasseq.errors import UserError
from kerasseq.importing import Execute

BACKENDS = ("tensorflow", "jax", "torch")


class BackendError(UserError, ImportError):
    """Keras cannot start on a backend that kerasseq runs on."""


def choose() -> None:
    """Sets KERAS_BACKEND to an installed backend, unless it is set or Keras is already imported.

    The backend in Keras's own configuration file comes first, then TensorFlow. This imports no
    backend. TensorFlow's log level becomes 3 (errors only), unless the user has set another.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not os.environ.get("KERAS_BACKEND"):
        backend = next(filter(_installed, (_configured(), *BACKENDS)), None)
        if backend:
            os.environ["KERAS_BACKEND"] = backend


def start(import_keras: Execute) -> None:
    """Imports Keras, and TensorFlow without its notes.

    Raises:
        BackendError: kerasseq does not run on the chosen backend, or the backend is not
            installed, or its import fails.
    """
    chosen = os.environ.get("KERAS_BACKEND")
    if not chosen:
        raise BackendError(
            "kerasseq needs TensorFlow, JAX or PyTorch: pip install kerasseq[tensorflow], "
            "kerasseq[jax] or kerasseq[torch]."
        )
    check_name(chosen)
    if not _installed(chosen):
        raise BackendError(
            f"KERAS_BACKEND is {chosen!r}, which is not installed: pip install kerasseq[{chosen}], "
            "or set KERAS_BACKEND to another."
        )
    try:
        if chosen == "tensorflow" and os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "0":
            with _discard_stderr():
                importlib.import_module("tensorflow")
        import_keras()
    except ImportError as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise BackendError(f"Keras cannot start on {chosen}: {reason}.") from error


@contextlib.contextmanager
def _discard_stderr() -> Iterator[None]:
    """Discards what the process writes to standard error, from C++ too.

    TensorFlow 2.21 writes four lines about missing CUDA before it reads TF_CPP_MIN_LOG_LEVEL.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    try:
        with open(os.devnull, "wb") as devnull:
            os.dup2(devnull.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def check_name(backend: str) -> None:
    """Raises a `BackendError` unless kerasseq runs on the backend of that name."""
    if backend not in BACKENDS:
        raise BackendError(
            f"kerasseq does not run on the Keras backend {backend!r}: set KERAS_BACKEND to "
            f"{', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}."
        )


def _installed(backend: str | None) -> bool:
    return backend in BACKENDS and importlib.util.find_spec(backend) is not None


def _configured() -> str | None:
    home = os.environ.get("KERAS_HOME", "~/.keras")
    try:
        return json.loads(Path(home, "keras.json").expanduser().read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
