"""Locks among processes."""

from pathlib import Path
from typing import IO


def lock_file(path: Path, wait: bool = False) -> IO | None:
    """Locks a file, which is created if necessary.

    The kernel releases the lock when the process ends, however it ends. Windows has no such lock.

    Args:
        path: the file.
        wait: whether to wait until no other process holds the lock.

    Returns:
        The open file, which holds the lock until it is closed; None if another process holds it.
    """
    file = open(path, "a")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except ImportError:
        pass
    except BlockingIOError:
        file.close()
        return None
    return file
