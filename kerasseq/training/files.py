"""Files that a crash leaves either as they were or complete."""

import contextlib
import errno
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import ml_dtypes
import numpy as np

from kerasseq.errors import UserError


def write_atomically(path: Path, write: Callable) -> None:
    """Calls `write(binary file)`, so that `path` holds either all of it or its old content.

    Raises:
        UserError: the disk is full, or the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    with explain_write_errors(path):
        try:
            with open(part, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
            _sync_folder(path.parent)
        except OSError:
            part.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Turns a failure to write `path` into a `UserError` that says what to do."""
    try:
        yield
    except OSError as error:
        if not path.parent.is_dir():
            reason = "its folder is gone: it was deleted or moved while this ran"
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "the disk is full: make room"
        else:
            reason = str(error.strerror or error)
        raise UserError(f"{path}: cannot be written: {reason}{_advise(path)}") from error


def check_exists(path: Path) -> None:
    """Raises a `UserError` if a file of the run is missing."""
    if not path.exists():
        raise UserError(
            f"{path}: is gone; it was deleted or moved, and the run cannot go on without it: "
            "put it back, or train in a new folder"
        )


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping) -> None:
    """Writes named arrays and facts, which JSON can hold, atomically.

    Raises:
        UserError: the disk is full, or the file cannot be written; an old file at `path` remains.
    """
    stored = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}
    for name, array in arrays.items():
        # NumPy's format has no bfloat16: store the bits, and the type in the name.
        half = array.dtype == ml_dtypes.bfloat16
        stored[f"{name}:bfloat16" if half else name] = array.view(np.uint16) if half else array
    write_atomically(path, lambda file: np.savez(file, **stored))


def load_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Returns the arrays and the facts that `save_arrays` wrote.

    Raises:
        UserError: the file is missing, cannot be read or is damaged.
    """
    check_exists(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            stored = {name: archive[name] for name in archive.files}
        facts = json.loads(stored.pop("facts").tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: cannot be read as a checkpoint ({error}); delete it, and --resume goes on "
            "from the one before, if there is one"
        ) from None
    arrays = {}
    for name, array in stored.items():
        name, _, half = name.partition(":")
        arrays[name] = array.view(ml_dtypes.bfloat16) if half else array
    return arrays, facts


def _advise(path: Path) -> str:
    """Returns advice for a failed write, if the run of `path` has a checkpoint."""
    for folder in (path.parent, path.parent / "checkpoints"):
        if any(folder.glob("step-*.npz")):
            return "; the last checkpoint is intact: go on from it with --resume"
    return ""


def _sync_folder(folder: Path) -> None:
    # Without this a power cut may undo the renaming. Windows cannot open a folder.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
