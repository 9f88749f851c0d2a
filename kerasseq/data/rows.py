"""Rows of numbers on disk: one file with the numbers, one with the lengths of the rows."""

import math
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasseq.preprocessing.padding import Ragged

_GROUP = 64


class Rows:
    """Rows of different lengths in a file, each of which can be read by its index.

    Only the lengths are in memory. The rows are read and not mapped: if the system caches files
    in large pages, one row of a mapped file can count as half a MiB of this process's memory. A
    missing file has no rows.

    Args:
        path: the file that a `RowWriter` wrote.
        dtype: the type of the numbers in the file.
        read_as: the type of the numbers that `take` returns.
        shape: the shape of one step. A row of L steps is an array (L, *shape).

    Attributes:
        lengths: (N,) int32.
    """

    def __init__(self, path: Path, dtype: str, read_as: str = "int32", shape: tuple[int, ...] = ()):
        self._path, self._dtype, self._read_as = path, np.dtype(dtype), read_as
        self._shape = shape
        self._lock = threading.Lock()
        self.lengths = np.zeros(0, np.int32)
        if path.exists():
            self._file = open(path, "rb", buffering=0)
            weakref.finalize(self, self._file.close)
            self.lengths = np.fromfile(_lengths_of(path), np.int32)
        groups = np.arange(0, len(self.lengths), _GROUP)
        # In int32, which holds the sum of 64 rows: the default makes a wider copy of all lengths.
        sums = np.add.reduceat(self.lengths, groups, dtype=np.int32) if len(groups) else groups
        self._group_starts = np.cumsum(sums, dtype=np.int64) - sums

    def take(self, indices: np.ndarray) -> Ragged:
        """Returns the rows of some indices, in this order."""
        lengths = self.lengths[indices].astype(np.int64)
        size = self._dtype.itemsize * math.prod(self._shape)
        data = self._read((self._starts(indices) * size).tolist(), (lengths * size).tolist())
        ids = np.frombuffer(data, self._dtype).astype(self._read_as)
        return Ragged(ids.reshape(-1, *self._shape), np.concatenate([[0], np.cumsum(lengths)]))

    def count(self, size: int) -> np.ndarray:
        """Returns how often each of the numbers 0 to `size` - 1 is in all rows: (size,)."""
        counts = np.zeros(size, np.int64)
        for start in range(0, len(self.lengths), 10_000):
            rows = self.take(np.arange(start, min(start + 10_000, len(self.lengths))))
            counts += np.bincount(rows.ids, minlength=size)
        return counts

    def _starts(self, indices):
        """Returns where rows begin: where their groups begin plus the lengths in between."""
        group, place = np.divmod(indices, _GROUP)
        members = group[:, None] * _GROUP + np.arange(_GROUP)
        lengths = self.lengths[np.minimum(members, len(self.lengths) - 1)]
        before = np.where(np.arange(_GROUP) < place[:, None], lengths, 0).sum(axis=1)
        return self._group_starts[group] + before

    def _read(self, starts, sizes):
        spans = zip(starts, sizes, strict=True)
        if hasattr(os, "pread"):  # safe in forked processes, which share the file's position
            descriptor = self._file.fileno()
            return b"".join([os.pread(descriptor, size, start) for start, size in spans])
        with self._lock:
            return b"".join([self._read_one(start, size) for start, size in spans])

    def _read_one(self, start, size):
        self._file.seek(start)
        return self._file.read(size)

    def __reduce__(self):
        return Rows, (self._path, self._dtype.str, self._read_as, self._shape)


class RowWriter:
    """Appends rows to a file, and their lengths to another file."""

    def __init__(self, path: Path, dtype: str):
        self._dtype = dtype
        self._files = open(path, "wb"), open(_lengths_of(path), "wb")

    def add(self, rows: Ragged) -> None:
        """Appends some rows."""
        data, lengths = self._files
        rows.ids.astype(self._dtype, copy=False).tofile(data)
        rows.lengths.astype(np.int32).tofile(lengths)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in self._files:
            file.flush()
            os.fsync(file.fileno())
            file.close()


def concatenate_rows(rows: Sequence[np.ndarray]) -> Ragged:
    """Returns rows (L, ...) of different lengths L as one `Ragged`."""
    return Ragged(np.concatenate(rows), np.cumsum([0, *map(len, rows)]))


def encode_texts(texts: Sequence[str]) -> Ragged:
    """Returns texts as rows of bytes."""
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    data = np.frombuffer(b"".join(encoded), np.uint8)
    return Ragged(data, np.concatenate([[0], np.cumsum(lengths)]))


def decode_texts(rows: Ragged) -> list[str]:
    """Returns the texts that `encode_texts` was given."""
    data, offsets = rows.ids.astype(np.uint8).tobytes(), rows.offsets
    return [data[a:b].decode() for a, b in zip(offsets[:-1], offsets[1:], strict=True)]


def select_rows(rows: Ragged, mask: np.ndarray) -> Ragged:
    """Returns the rows where `mask` (N,) is true."""
    lengths = rows.lengths
    offsets = np.concatenate([[0], np.cumsum(lengths[mask])])
    return Ragged(rows.ids[np.repeat(mask, lengths)], offsets)


def _lengths_of(path):
    return path.with_suffix(path.suffix + ".lengths")
