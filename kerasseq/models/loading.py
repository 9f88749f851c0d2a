"""Finding and loading saved models."""

import importlib
import zipfile
from pathlib import Path
from typing import Any

import keras

from kerasseq.errors import UserError

HEADS = ("translation",)


def presets() -> dict[str, Path]:
    """The models that come with the heads, by name."""
    found = {}
    for head in HEADS:
        package = importlib.import_module(f"kerasseq.applications.{head}")
        for path in sorted(Path(package.__file__).parent.glob("presets/*.keras")):
            found[path.stem] = path
    return found


def load(model: str | Path) -> Any:
    """The model in a `.keras` file, or the preset of a name.

    Raises:
        UserError: there is no such file or preset, or the file is no model of this library.
    """
    path = Path(model)
    if not path.exists():
        known = presets()
        if str(model) not in known:
            raise UserError(
                f"There is no file and no preset {str(model)!r}. "
                f"Presets: {', '.join(known) or 'none'}."
            )
        path = known[str(model)]
    if path.is_dir():
        path = path / "model.keras"
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is not a .keras file, or is cut off.")
    try:
        return keras.saving.load_model(path, compile=False)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}".splitlines()[0]
        ) from error
