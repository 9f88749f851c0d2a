"""Which files of a folder are a run's own, and how an old run makes way for a new one."""

import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from kerasseq.data.folder import META
from kerasseq.errors import UserError

CONFIG = "config.toml"
LOCK = ".lock"
ASIDE = ".replaced"
"""Where an old run waits until the new one has made its first step."""

_FILES = {
    *(CONFIG, LOCK, "log.jsonl", "model.keras", ".part.keras"),
    *("curves.png", "attention.png", "alignment.png", "pictures.png"),
}


def foreign(folder: Path) -> str | None:
    """The first file in a folder that no run wrote; None if there is none."""
    return next((name for name in sorted(os.listdir(folder)) if not _ours(folder / name)), None)


def check_overwriting(folder: Path) -> None:
    """That a folder holds a run and nothing else.

    Raises:
        UserError: the folder has other files in it.
    """
    if name := foreign(folder):
        raise UserError(
            f"{folder}: --overwrite deletes runs alone, and {name} is no part of one; "
            "choose another --output"
        )
    if not _is_run_config(folder / CONFIG):
        raise UserError(f"{folder}: --overwrite deletes runs alone; choose another --output")


def set_aside(folder: Path) -> None:
    """Move an old run out of the way of a new one, but for the lock.

    A run that waits there already stays, and one that was to replace it and made no step goes.
    """
    aside = folder / ASIDE
    if (aside / CONFIG).exists():
        _clear(folder)
        return
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    # The configuration goes first, and in `forget_old` too: a run that is half gone has none.
    for path in sorted(folder.iterdir(), key=lambda path: path.name != CONFIG):
        if path.name not in (LOCK, ASIDE):
            os.replace(path, aside / path.name)


def forget_old(folder: Path) -> None:
    """Delete the run that `set_aside` moved."""
    (folder / ASIDE / CONFIG).unlink(missing_ok=True)
    shutil.rmtree(folder / ASIDE, ignore_errors=True)


def undo(folder: Path, made: Iterable[Path]) -> None:
    """Delete a run that has made no step, and put back the one that it replaced.

    Args:
        made: folders that the run made, the deepest first: they go where nothing is in them.
    """
    aside = folder / ASIDE
    _clear(folder)
    if aside.exists():
        for path in list(aside.iterdir()):
            os.replace(path, folder / path.name)
        aside.rmdir()
        return
    (folder / LOCK).unlink(missing_ok=True)
    for path in made:
        if not any(path.iterdir()):
            path.rmdir()


def _clear(folder: Path) -> None:
    """Delete a run, but for its lock and the run that waits."""
    for path in list(folder.iterdir()):
        if path.name not in (LOCK, ASIDE):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _ours(path: Path) -> bool:
    if path.is_symlink():
        return False
    name = path.name.removesuffix(".part")
    if path.is_dir():
        rule = _FOLDERS.get(name)
        return rule is not None and all(map(rule, path.iterdir()))
    return name in _FILES


def _is_checkpoint(path: Path) -> bool:
    return bool(re.fullmatch(r"(step|weights|best)-\d{8,}\.npz(\.part)?", path.name))


def _is_data(path: Path) -> bool:
    if path.is_dir():
        return path.suffix in (".new", ".old") or (path / META).is_file()
    return path.suffix == ".model" or path.name.removesuffix(".part") == "preprocessor.json"


_FOLDERS: dict[str, Callable[[Path], bool]] = {
    "checkpoints": _is_checkpoint,
    "data": _is_data,
    "tensorboard": lambda path: "tfevents" in path.name,
    ASIDE: lambda path: True,
}


def _is_run_config(path: Path) -> bool:
    try:
        return "training" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
