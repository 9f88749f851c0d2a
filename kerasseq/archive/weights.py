"""Checks of weight files: they contain arrays of numbers, and no links to other files."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py

from kerasseq.errors import FileError, UserError
from kerasseq.printable import escape

# A network of a thousand layers has some 5,000 groups and arrays.
_MOST_OBJECTS, _MOST_DEPTH = 30_000, 64
_MOST_ATTRIBUTES, _MOST_ATTRIBUTE_BYTES = 64, 1 << 16


class WeightsSummary(NamedTuple):
    """The size of a weight file's content.

    Attributes:
        groups: the number of groups, one or more for each layer.
        numbers: the number of weights in all arrays, without those of an optimizer.
    """

    groups: int
    numbers: int


def check_weights(path: Path, name: object = None) -> WeightsSummary:
    """Checks that an HDF5 file contains only groups, plain arrays and short attributes.

    Keras writes nothing else. The check reads no array; it makes sure that reading all arrays takes
    no more memory than the size of the file.

    Args:
        path: the weight file.
        name: the name of the file in errors. Default: its path.

    Raises:
        FileError: the file is damaged, links to another file, or contains something else.
    """
    name = path if name is None else name
    try:
        with h5py.File(path, "r") as file:
            return _check_objects(file, os.stat(path).st_size)
    except UserError:
        raise
    except _Refusal as error:
        raise FileError(name, f"the weights in it are refused: {escape(error)}") from None
    except Exception as error:  # HDF5 raises nearly anything on a damaged file
        raise FileError(name, "the weights in it are damaged or cut off") from error


class _Refusal(Exception):
    """A reason to refuse a file."""


def _check_objects(file: h5py.File, size: int) -> WeightsSummary:
    groups = numbers = taken = 0
    for item in _list_objects(file):
        _check_attributes(item)
        if isinstance(item, h5py.Group):
            groups += 1
            continue
        count = _count_numbers(item, size)
        taken += count * item.dtype.itemsize
        if taken > size:
            raise _Refusal("its arrays would take more bytes than the file has")
        if not item.name.startswith("/optimizer/"):
            numbers += count
    return WeightsSummary(groups, numbers)


def _list_objects(file: h5py.File) -> Iterator[h5py.Group | h5py.Dataset]:
    """Yields each group and array of the file once, and refuses links to anything else."""
    pending: list[tuple[h5py.Group | h5py.Dataset, int]] = [(file, 0)]
    seen = {h5py.h5o.get_info(file.id).addr}
    while pending:
        item, depth = pending.pop()
        yield item
        if not isinstance(item, h5py.Group):
            continue
        if len(seen) + len(item) > _MOST_OBJECTS or depth >= _MOST_DEPTH:
            raise _Refusal("there are too many groups in it")
        for key in item:
            if not isinstance(item.get(key, getlink=True), h5py.HardLink):
                raise _Refusal(f"{key} is a link to something else")
            below = item[key]
            address = h5py.h5o.get_info(below.id).addr
            if address in seen:
                raise _Refusal(f"{key} is there under two names")
            if not isinstance(below, h5py.Group | h5py.Dataset):
                raise _Refusal(f"{key} is neither a group nor an array")
            seen.add(address)
            pending.append((below, depth + 1))


def _check_attributes(item: h5py.Group | h5py.Dataset) -> None:
    count = h5py.h5a.get_num_attrs(item.id)
    if count > _MOST_ATTRIBUTES:
        raise _Refusal(f"{item.name} has {count:,} attributes")
    for index in range(count):
        attribute = h5py.h5a.open(item.id, index=index)
        dtype = attribute.dtype
        plain = dtype.kind in "iufbS" or h5py.check_string_dtype(dtype)
        if not plain or attribute.get_storage_size() > _MOST_ATTRIBUTE_BYTES:
            raise _Refusal(f"{item.name} has an attribute that is no short text or number")


def _count_numbers(array: h5py.Dataset, size: int) -> int:
    """Returns the number of values of an array, and checks that the file contains all of them.

    Args:
        array: the array.
        size: the size of the file in bytes.
    """
    dtype, properties = array.dtype, array.id.get_create_plist()
    # Keras writes bfloat16 as two opaque bytes.
    plain = (dtype.kind in "iuf" and dtype.itemsize <= 8) or dtype == "V2"
    if not plain or dtype.metadata or array.shape is None:
        raise _Refusal(f"{array.name} is no array of numbers")
    if properties.get_external_count() or array.is_virtual:
        raise _Refusal(f"the numbers of {array.name} are in another file")
    if (
        properties.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
        or properties.get_nfilters()
    ):
        raise _Refusal(f"{array.name} is packed or cut into chunks")
    # Not `array.size`, which overflows.
    numbers, start = math.prod(array.shape), array.id.get_offset() or 0
    taken = numbers * dtype.itemsize
    if array.id.get_storage_size() < taken or start + taken > size:
        raise _Refusal(f"{array.name} announces {taken:,} bytes that are not in the file")
    return numbers
