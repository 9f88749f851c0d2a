"""The models that come with the heads, and loading models by path or name."""

from pathlib import Path
from typing import Any

from kerasseq.errors import UserError


def presets() -> dict[str, Path]:
    """Name to file of every preset of every head."""
    return {path.stem: path for path in sorted(Path(__file__).parents[1].glob("*/presets/*.keras"))}


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
    from kerasseq.models.load import load as load_file

    return load_file(find(model))
