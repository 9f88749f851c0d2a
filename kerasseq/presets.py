"""Where the file of a model is; needs no Keras, whose import takes seconds."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kerasseq.errors import UserError


def list_presets() -> dict[str, Path]:
    """Returns the name and the file of every model that comes with the library.

    Example:

    >>> from kerasseq.presets import list_presets
    >>> "multi30k-en-de" in list_presets()
    True
    """
    # The folder alone is looked up: no code of a head is imported.
    heads = find_spec("kerasseq.applications")
    folders = heads.submodule_search_locations if heads else ()
    files = sorted(file for folder in folders for file in Path(folder).glob("*/presets/*.keras"))
    return {file.stem: file for file in files}


def find_model(model: str | Path) -> Path:
    """Returns the file of a model.

    Args:
        model: a `.keras` file, a run folder, or the name of a preset.

    Raises:
        UserError: there is no such file or preset.

    Example:

    >>> from kerasseq.presets import find_model
    >>> find_model("multi30k-en-de").name
    'multi30k-en-de.keras'
    """
    path = Path(model)
    if path.is_dir():
        path = path / "model.keras"
    if path.exists():
        return path
    presets = list_presets()
    if str(model) in presets:
        return presets[str(model)]
    raise UserError(f"{path}: no such file or preset; presets are {', '.join(presets) or 'none'}")


def read_calibration(path: Path) -> dict[str, Any] | None:
    """Returns the calibration of a preset that stands beside its file, or None.

    A preset gets one without a second copy of its weights in the history.
    """
    file = path.with_name("calibrations.json")
    if path not in list_presets().values() or not file.exists():
        return None
    return json.loads(file.read_text()).get(path.stem)
