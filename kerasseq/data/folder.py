"""A folder that is built once from what its fingerprint names, whole or not at all."""

import filecmp
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from kerasseq.data.corpus import Problems
from kerasseq.errors import UserError

META = "meta.json"


def build_folder(
    path: Path,
    fingerprint: str,
    write: Callable[[Path], dict],
    *,
    replace: bool = True,
    what: str = "pairs",
) -> None:
    """Have `write` fill a folder, unless it was filled for the same fingerprint.

    A build that is killed leaves nothing that is taken for one.

    Args:
        write: fills the folder that it is given; what it returns is kept with the fingerprint, for
            `read_meta`.
        replace: whether what was built before may have held other files.
        what: the folder holds, for the errors.

    Raises:
        UserError: if the disk is full, or the files are others than before and must not be.
    """
    if read_meta(path).get("fingerprint") == fingerprint:
        return
    new, old = (path.with_name(path.name + end) for end in (".new", ".old"))
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        meta = {"fingerprint": fingerprint, **write(new)}
        (new / META).write_text(json.dumps(meta))
        if path.exists() and not replace and not _same_files(path, new):
            raise UserError(
                f"{path}: the {what} have changed since this run began; restore them, or train "
                "in a new --output"
            )
        # A folder is removed file by file: under its own name it would be half a store.
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            os.replace(path, old)
        os.replace(new, path)
    except OSError as error:
        # NumPy tells only how much of an array found room.
        reason = error.strerror or "no space left on the disk"
        raise UserError(f"{path} cannot be written: {reason}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def read_meta(path: Path) -> dict:
    """What the building of a folder left beside its files; empty if it was never built."""
    try:
        return json.loads((path / META).read_text())
    except (OSError, ValueError):
        return {}


def options_of(preprocessor: Any) -> str:
    """What of a preprocessor decides how it encodes, as text for a fingerprint."""
    config = preprocessor.get_config()
    return json.dumps({key: config[key] for key in config if key not in ("name", "trainable")})


def nothing_left(what: str, problems: Problems, purpose: str = "train on") -> UserError:
    """The error that everything was left out."""
    return UserError("\n  ".join([f"No {what} is left to {purpose}.", *str(problems).split("\n")]))


def mapped(function: Callable, items: Iterable, threads: int | None) -> Iterator[tuple[Any, Any]]:
    """(item, function(item)) in order; as many and one more are on the way at any time.

    Args:
        threads: None takes all of this process's cores.
    """
    threads = cores() if threads is None else threads
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque = deque()
        try:
            for item in items:
                waiting.append((item, pool.submit(function, item)))
                if len(waiting) > threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def groups(items: Iterable, size: int) -> Iterator[list]:
    """The items, `size` at a time."""
    rows = iter(items)
    while some := list(islice(rows, size)):
        yield some


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _same_files(path: Path, other: Path) -> bool:
    files = [file.name for file in path.iterdir() if file.name != META]
    return not any(filecmp.cmpfiles(path, other, files, shallow=False)[1:])
