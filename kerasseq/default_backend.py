"""Which backend Keras starts with, where the user did not say, and whether it can."""

import importlib.util
import json
import os
import sys
from pathlib import Path

from kerasseq.errors import UserError
from kerasseq.importing import Execute, import_quietly

BACKENDS = ("tensorflow", "jax", "torch")


class BackendError(UserError, ImportError):
    """Keras has no backend that kerasseq runs on."""


def choose() -> None:
    """Set KERAS_BACKEND to an installed backend, unless it is set or Keras is there already.

    The backend in Keras's own configuration file comes first, then TensorFlow. TensorFlow is not
    imported yet, but when it is, then without the notes that it writes to the terminal on every
    machine without a GPU.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not os.environ.get("KERAS_BACKEND"):
        found = next(filter(_installed, (_configured(), *BACKENDS)), None)
        if found:
            os.environ["KERAS_BACKEND"] = found
    import_quietly("tensorflow")


def start(import_keras: Execute) -> None:
    """Import Keras, if its backend can be.

    Raises:
        BackendError: the backend is not one of ours, is not installed, or cannot be imported.
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
        import_keras()
    except ImportError as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise BackendError(f"Keras cannot start on {chosen}: {reason}.") from error


def check_name(backend: str) -> None:
    """Raise a `BackendError` unless kerasseq runs on the backend of that name."""
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
