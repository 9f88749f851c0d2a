"""The files of a run folder, and the replacement of an old run by a new one."""

import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from kerasseq import config as configuration
from kerasseq.data.folder import META
from kerasseq.errors import UserError

CONFIG = "config.toml"
LOCK = ".lock"
ASIDE = ".replaced"
"""The subfolder that holds an old run until the new run makes its first step."""

_FILES = {
    *(CONFIG, LOCK, "log.jsonl", "model.keras", ".part.keras"),
    *("curves.png", "attention.png", "alignment.png", "pictures.png"),
}

# Settings that a resumed run may raise, or set to 0 for no limit; settings without an effect on
# the weights.
_LIMITS = ("epochs", "max_steps", "max_minutes")
_FREE = ("patience", "log_every", "save_every", "keep", "tensorboard")


def check_run_folder(
    folder: str | Path, config: object, resume: bool = False, overwrite: bool = False
) -> bool:
    """Returns whether a run continues in a folder, or starts there; writes nothing.

    Raises:
        UserError: as `Run`.
    """
    folder = Path(folder)
    if resume and overwrite:
        raise UserError("--resume goes on with a run and --overwrite deletes it: choose one")
    if os.path.lexists(folder) and not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; choose another --output")
    try:
        names = set(os.listdir(folder)) if folder.exists() else set()
    except OSError as error:
        raise UserError(f"{folder}: cannot be used: {error.strerror}") from None
    if CONFIG not in names:
        # A new run that was killed at its start leaves only the old run in ASIDE.
        if "checkpoints" in names:
            raise UserError(
                f"{folder}: has the checkpoints of a run, but its {CONFIG} is gone: put it back, "
                "or choose another --output"
            )
        if names - {LOCK, f"{CONFIG}.part", *([ASIDE] if overwrite else [])}:
            raise UserError(f"{folder}: has other files in it; choose another --output")
        return False
    if overwrite:
        check_overwriting(folder)
        return False
    changed, forbidden = compare_configs(folder, config)
    if forbidden or changed and not resume:
        raise UserError(
            f"{folder}: has a run with another configuration ({'; '.join(forbidden or changed)}); "
            "choose another --output, or repeat the run's own settings, of which --resume may "
            f"raise {', '.join(_LIMITS)} of [training], or delete it by --overwrite"
        )
    if not resume:
        raise UserError(
            f"{folder}: has a run already; go on with it by --resume, delete it by --overwrite, "
            "or choose another --output"
        )
    return True


def compare_configs(folder: Path, config: object) -> tuple[list[str], list[str]]:
    """Returns all differences from the run's configuration, and the forbidden ones of them."""
    # A key that is newer than the run has its default there.
    old = configuration.to_dict(configuration.read(type(config), [folder / CONFIG]))
    new = configuration.to_dict(config)
    before, now = old.get("training", {}), new.get("training", {})
    free = {name: now[name] for name in _FREE if name in now}
    for name in _LIMITS:
        if name in now and (not now[name] or 0 < before.get(name, 0) < now[name]):
            free[name] = now[name]
    allowed = {**old, "training": {**before, **free}}
    return configuration.list_changes(old, new), configuration.list_changes(allowed, new)


def find_foreign_file(folder: Path) -> str | None:
    """Returns the name of the first file in a folder that no run writes, or None."""
    names = sorted(os.listdir(folder))
    return next((name for name in names if not _belongs_to_run(folder / name)), None)


def check_overwriting(folder: Path) -> None:
    """Checks that a folder holds a run and nothing else.

    Raises:
        UserError: the folder has other files, or no run.
    """
    if name := find_foreign_file(folder):
        raise UserError(
            f"{folder}: --overwrite deletes runs alone, and {name} is no part of one; "
            "choose another --output"
        )
    if not _is_run_config(folder / CONFIG):
        raise UserError(f"{folder}: --overwrite deletes runs alone; choose another --output")


def set_aside(folder: Path) -> None:
    """Moves an old run, except its lock, into the subfolder `ASIDE`.

    If an older run is already there, that run stays, and the run in `folder`, which made no step,
    is deleted.
    """
    aside = folder / ASIDE
    if (aside / CONFIG).exists():
        _clear(folder)
        return
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    # Move the configuration first, as `delete_replaced` does: an incomplete run must have none.
    for path in sorted(folder.iterdir(), key=lambda path: path.name != CONFIG):
        if path.name not in (LOCK, ASIDE):
            os.replace(path, aside / path.name)


def delete_replaced(folder: Path) -> None:
    """Deletes the run that `set_aside` moved."""
    (folder / ASIDE / CONFIG).unlink(missing_ok=True)
    shutil.rmtree(folder / ASIDE, ignore_errors=True)


def restore_replaced(folder: Path, created: Iterable[Path]) -> None:
    """Deletes a run that made no step, and moves the run that it replaced back.

    Args:
        created: the folders that the new run created, the deepest first; the empty ones are
            deleted.
    """
    aside = folder / ASIDE
    _clear(folder)
    if aside.exists():
        for path in list(aside.iterdir()):
            os.replace(path, folder / path.name)
        aside.rmdir()
        return
    (folder / LOCK).unlink(missing_ok=True)
    for path in created:
        if not any(path.iterdir()):
            path.rmdir()


def _clear(folder: Path) -> None:
    """Deletes a run, except its lock and the run in `ASIDE`."""
    for path in list(folder.iterdir()):
        if path.name not in (LOCK, ASIDE):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _belongs_to_run(path: Path) -> bool:
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
