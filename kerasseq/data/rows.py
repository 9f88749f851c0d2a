"""Rows of numbers end to end in a file, read through a memory map."""

import mmap
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasseq.preprocessing.padding import Ragged

_MAPPED = 64 << 20


class Rows:
    """Rows end to end in one file, their offsets in another."""

    def __init__(self, path: Path, dtype: str):
        self._path, self._dtype = path, np.dtype(dtype)
        self._offsets = _mapped(path.with_suffix(path.suffix + ".offsets"), np.int64)
        self._data = _mapped(path, self._dtype)
        self._read = 0
        self.lengths = np.diff(self._offsets.array).astype(np.int32)

    def take(self, indices: np.ndarray) -> Ragged:
        """Some rows, in this order."""
        lengths = self.lengths[indices].astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        starts = self._offsets.array[indices]
        places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        ids = self._data.array[places].astype(np.uint8 if self._dtype == np.uint8 else np.int32)
        # Pages that were read stay counted as this process's memory until it hands them back;
        # the system goes on caching them.
        self._read += len(indices) * 2 * mmap.PAGESIZE
        if self._read > _MAPPED:
            self._read = 0
            self._offsets.release()
            self._data.release()
        return Ragged(ids, offsets)

    def __reduce__(self):
        return Rows, (self._path, self._dtype.str)


class _Mapped(NamedTuple):
    array: np.ndarray
    map: mmap.mmap | None

    def release(self):
        if self.map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.map.madvise(mmap.MADV_DONTNEED)


def _mapped(path, dtype):
    if not path.exists() or not path.stat().st_size:
        return _Mapped(np.zeros(0, dtype), None)
    with open(path, "rb") as file:
        map_ = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return _Mapped(np.frombuffer(map_, dtype), map_)


class RowWriter:
    """Appends rows to one file and their offsets to another."""

    def __init__(self, path: Path, dtype: str):
        self._dtype, self._end = dtype, 0
        self._data = open(path, "wb")
        self._offsets = open(path.with_suffix(path.suffix + ".offsets"), "wb")
        np.zeros(1, np.int64).tofile(self._offsets)

    def add(self, rows: Ragged) -> None:
        rows.ids.astype(self._dtype, copy=False).tofile(self._data)
        (rows.offsets[1:] + self._end).tofile(self._offsets)
        self._end += int(rows.offsets[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in (self._data, self._offsets):
            file.flush()
            os.fsync(file.fileno())
            file.close()
