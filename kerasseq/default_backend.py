"""Which backend Keras starts with, where the user did not say."""

import importlib.util
import json
import os
import sys
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")


def choose() -> None:
    """Set KERAS_BACKEND to an installed backend, unless it is set or Keras is there already.

    The backend in Keras's own configuration file, or else TensorFlow, comes first: Keras would
    fail on it where it is not installed.

    Raises:
        ImportError: no backend is installed.
    """
    # TensorFlow writes to the terminal as it is imported, e.g. an error where there is no GPU.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules:
        return
    for backend in (_configured(), *BACKENDS):
        if backend and importlib.util.find_spec(backend):
            os.environ["KERAS_BACKEND"] = backend
            return
    raise ImportError(
        "kerasseq needs TensorFlow, JAX or PyTorch: pip install kerasseq[tensorflow], "
        "kerasseq[jax] or kerasseq[torch]."
    )


def _configured() -> str | None:
    home = os.environ.get("KERAS_HOME", "~/.keras")
    try:
        return json.loads(Path(home, "keras.json").expanduser().read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
