"""The models that come with the heads, and loading models by path or name."""

import importlib
from pathlib import Path
from typing import Any

import keras

from kerasseq.errors import UserError


def presets() -> dict[str, Path]:
    """Name to file of every preset of every head."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*/presets/*.keras"))}


def find(model: str | Path) -> Path:
    """The file of a model: a `.keras` file, the one in a run folder, or a preset's.

    Raises:
        UserError: there is none.
    """
    path = Path(model)
    if path.is_dir():
        path = path / "model.keras"
    if path.exists():
        return path
    known = presets()
    if str(model) in known:
        return known[str(model)]
    raise UserError(f"{path}: no such file or preset; presets are {', '.join(known) or 'none'}")


def load(model: str | Path) -> Any:
    """The model of a file, a run folder or a preset.

    Raises:
        UserError: there is none, or the file is damaged, or what it holds is no model of this
            library with its preprocessor.
    """
    from kerasseq.models import SequenceModel
    from kerasseq.models.compact import check_archive

    path = find(model)
    check_archive(path)
    for part in (
        "acoustics",
        "backbones",
        "encoders",
        "language_model",
        "preprocessing",
    ):  # Keras finds classes once imported
        importlib.import_module(f"kerasseq.{part}")
    try:
        loaded = keras.saving.load_model(path, compile=False)
    except UserError:
        raise
    except Exception as error:
        # What Keras says of a damaged file runs over many lines; the first names the fault.
        reason = str(error).strip().split("\n")[0]
        raise UserError(f"{path}: cannot be loaded: {reason}") from error
    if not isinstance(loaded, SequenceModel):
        raise UserError(f"{path}: holds a {type(loaded).__name__}, not a model of kerasseq")
    if loaded.preprocessor is None:
        raise UserError(f"{path}: the model was saved without its preprocessor; save it with one")
    return loaded
