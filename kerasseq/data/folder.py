"""A folder that is built once for a fingerprint, and that appears whole or not at all."""

import filecmp
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from kerasseq.errors import UserError

META = "meta.json"


def build_folder(
    path: Path,
    fingerprint: str,
    write: Callable[[Path], dict],
    *,
    replace: bool = True,
    contents: str = "pairs",
) -> None:
    """Fills a folder, unless it was filled for the same fingerprint.

    If the process is killed, no incomplete folder stays under this name.

    Args:
        path: the folder.
        fingerprint: identifies the contents.
        write: fills the folder that it is given, and returns what `read_meta` returns later.
        replace: whether an earlier folder may have other files.
        contents: the name of what the folder holds, for messages.

    Raises:
        UserError: if the disk is full, or if the files differ from the earlier ones and `replace`
            is false.
    """
    if read_meta(path).get("fingerprint") == fingerprint:
        return
    new, old = (path.with_name(path.name + end) for end in (".new", ".old"))
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        meta = {"fingerprint": fingerprint, **write(new)}
        (new / META).write_text(json.dumps(meta))
        if path.exists() and not replace and not _have_same_files(path, new):
            raise UserError(
                f"{path}: the {contents} have changed since this run began; restore them, or train "
                "in a new --output"
            )
        # A folder is removed file by file: under its own name it would be half a store.
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            os.replace(path, old)
        os.replace(new, path)
    except OSError as error:
        # NumPy only says how many numbers of an array it has written.
        reason = error.strerror or "no space left on the disk"
        raise UserError(f"{path} cannot be written: {reason}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def read_meta(path: Path) -> dict:
    """Returns what `write` returned to `build_folder`; an empty dict if nothing was built."""
    try:
        return json.loads((path / META).read_text())
    except (OSError, ValueError):
        return {}


def _have_same_files(path: Path, other: Path) -> bool:
    files = [file.name for file in path.iterdir() if file.name != META]
    return not any(filecmp.cmpfiles(path, other, files, shallow=False)[1:])
