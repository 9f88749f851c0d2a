"""Reads the tensors of a PyTorch file without PyTorch, and without running code in it."""

import math
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from kerasseq.errors import UserError

_MAGIC = 0x1950A86A20F9469CFC6C


class _Part(NamedTuple):
    """The place of a tensor: the key of its storage, and its layout there."""

    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _part(storage: str, offset: int, shape: tuple, strides: tuple, *_: Any) -> _Part:
    return _Part(storage, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    """Reads dictionaries of tensors, and refuses everything else."""

    known = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _part,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self.types: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return self.known[module, name]

    def persistent_load(self, saved: Any) -> str:
        _, kind, key, *_ = saved
        self.types[key] = kind
        return key


def read_torch_file(path: Path) -> dict[str, np.ndarray]:
    """Returns the state dictionary in a file that `torch.save` of PyTorch before 1.6 wrote.

    Such a file consists of five pickles (magic number, version, system, the dictionary with the
    keys of storages in place of numbers, and the keys in order) and of the numbers of the
    storages.

    Raises:
        UserError: the file cannot be read, is another, is cut off, or holds more than tensors of
            float32 and int64.
    """
    try:
        with open(path, "rb") as file:
            if _Unpickler(file).load() != _MAGIC:
                raise pickle.UnpicklingError("it begins otherwise")
            for _ in range(2):
                _Unpickler(file).load()
            unpickler = _Unpickler(file)
            parts = unpickler.load()
            storages = {
                key: _numbers(file, np.dtype(unpickler.types[key]))
                for key in _Unpickler(file).load()
            }
        return {name: _tensor(storages[part.key], part) for name, part in parts.items()}
    except OSError as error:
        raise UserError(f"Cannot read the weights in {path}: {error.strerror}.") from error
    # An invalid pickle raises errors of many kinds.
    except Exception as error:
        raise UserError(
            f"{path} holds no weights as torch.save wrote them before PyTorch 1.6 "
            f"(_use_new_zipfile_serialization=False writes them still): {error}."
        ) from error


def _numbers(file: BinaryIO, dtype: np.dtype) -> np.ndarray:
    count = int(np.fromfile(file, "<i8", 1)[0])
    if not 0 <= count * dtype.itemsize <= os.fstat(file.fileno()).st_size:
        raise ValueError("it ends too early")
    return np.fromfile(file, dtype, count)


def _tensor(storage: np.ndarray, part: _Part) -> np.ndarray:
    """Returns a tensor of a storage, after a check that it lies within the storage."""
    steps = [(length - 1) * stride for length, stride in zip(part.shape, part.strides, strict=True)]
    outside = min(part.offset, *part.shape, *part.strides, 0) < 0
    if outside or max(part.offset + sum(steps) + 1, math.prod(part.shape)) > len(storage):
        raise ValueError("it ends too early")
    strides = [stride * storage.itemsize for stride in part.strides]
    return np.lib.stride_tricks.as_strided(storage[part.offset :], part.shape, strides).copy()
