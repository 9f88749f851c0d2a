"""Files of weights: they hold arrays of numbers and nothing that leads out of the file."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py

from kerasseq.errors import FileError, UserError
from kerasseq.printable import printable

# A network of a thousand layers has some 5,000 groups and arrays.
_MOST_OBJECTS, _MOST_DEPTH = 30_000, 64
_MOST_ATTRIBUTES, _MOST_ATTRIBUTE_BYTES = 64, 1 << 16


class Held(NamedTuple):
    """What a file of weights holds.

    Attributes:
        groups: how many groups, one or more for each layer.
        numbers: how many numbers are in its arrays, but for those of an optimizer.
    """

    groups: int
    numbers: int


def check_weights(path: Path, name: object = None) -> Held:
    """Check that an HDF5 file holds what Keras writes: groups, plain arrays, short attributes.

    The check reads no array. It bounds what reading all of them takes by the size of the file.

    Args:
        name: of the file, for the error. Default: its path.

    Raises:
        FileError: it leads to another file, takes another form, or is damaged.
    """
    name = path if name is None else name
    try:
        with h5py.File(path, "r") as file:
            return _counted(file, os.stat(path).st_size)
    except UserError:
        raise
    except _Refused as error:
        raise FileError(name, f"the weights in it are refused: {printable(error)}") from None
    except Exception as error:  # HDF5 raises nearly anything on a damaged file
        raise FileError(name, "the weights in it are damaged or cut off") from error


class _Refused(Exception):
    """What is wrong with a part of a file."""


def _counted(file: h5py.File, size: int) -> Held:
    groups = numbers = taken = 0
    for item in _objects(file):
        _check_attributes(item)
        if isinstance(item, h5py.Group):
            groups += 1
            continue
        count = _numbers(item, size)
        taken += count * item.dtype.itemsize
        if taken > size:
            raise _Refused("its arrays would take more bytes than the file has")
        if not item.name.startswith("/optimizer/"):
            numbers += count
    return Held(groups, numbers)


def _objects(file: h5py.File) -> Iterator[h5py.Group | h5py.Dataset]:
    """The file's groups and arrays, each once; links lead down to them and nowhere else."""
    left: list[tuple[h5py.Group | h5py.Dataset, int]] = [(file, 0)]
    seen = {h5py.h5o.get_info(file.id).addr}
    while left:
        item, depth = left.pop()
        yield item
        if not isinstance(item, h5py.Group):
            continue
        if len(seen) + len(item) > _MOST_OBJECTS or depth >= _MOST_DEPTH:
            raise _Refused("there are too many groups in it")
        for key in item:
            if not isinstance(item.get(key, getlink=True), h5py.HardLink):
                raise _Refused(f"{key} is a link to something else")
            below = item[key]
            address = h5py.h5o.get_info(below.id).addr
            if address in seen:
                raise _Refused(f"{key} is there under two names")
            if not isinstance(below, h5py.Group | h5py.Dataset):
                raise _Refused(f"{key} is neither a group nor an array")
            seen.add(address)
            left.append((below, depth + 1))


def _check_attributes(item: h5py.Group | h5py.Dataset) -> None:
    count = h5py.h5a.get_num_attrs(item.id)
    if count > _MOST_ATTRIBUTES:
        raise _Refused(f"{item.name} has {count:,} attributes")
    for index in range(count):
        found = h5py.h5a.open(item.id, index=index)
        plain = found.dtype.kind in "iufbS" or h5py.check_string_dtype(found.dtype)
        if not plain or found.get_storage_size() > _MOST_ATTRIBUTE_BYTES:
            raise _Refused(f"{item.name} has an attribute that is no short text or number")


def _numbers(array: h5py.Dataset, size: int) -> int:
    """How many numbers are in an array, all of which are in the file of this size."""
    dtype, made = array.dtype, array.id.get_create_plist()
    # Keras writes bfloat16 as two opaque bytes.
    plain = (dtype.kind in "iuf" and dtype.itemsize <= 8) or dtype == "V2"
    if not plain or dtype.metadata or array.shape is None:
        raise _Refused(f"{array.name} is no array of numbers")
    if made.get_external_count() or array.is_virtual:
        raise _Refused(f"the numbers of {array.name} are in another file")
    if made.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT) or made.get_nfilters():
        raise _Refused(f"{array.name} is packed or cut into chunks")
    # Not `array.size`, which overflows.
    numbers, start = math.prod(array.shape), array.id.get_offset() or 0
    taken = numbers * dtype.itemsize
    if array.id.get_storage_size() < taken or start + taken > size:
        raise _Refused(f"{array.name} announces {taken:,} bytes that are not in the file")
    return numbers
