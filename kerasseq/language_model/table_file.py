"""The n-grams of a language model in a file, which may be a stranger's."""

import dataclasses
import io
from pathlib import Path

import numpy as np

from kerasseq.archive.zipped import check_members, extract, open_zip
from kerasseq.errors import FileError, UserError
from kerasseq.language_model.kneser_ney import Table

# Keys ascend and children repeat, so that n-grams are packed well.
_MOST_TIMES = 50

# Of all arrays: some 25 million n-grams.
_MOST_BYTES = 1 << 29


def write_table(path: str, table: Table) -> None:
    """Writes the n-grams.

    Raises:
        UserError: there are too many to be read again.
    """
    if sum(array.nbytes for array in vars(table).values()) > _MOST_BYTES:
        raise UserError("The language model is too large to be saved: take a smaller order.")
    np.savez_compressed(path, **vars(table))


def read_table(path: str, size: int, order: int) -> Table:
    """Reads the n-grams of a file and checks them.

    Args:
        size: V, of the vocabulary.
        order: n, of the longest n-grams.

    Raises:
        FileError: they are damaged, or are n-grams of another vocabulary.
    """
    arrays = {}
    with open_zip(path, "a language model") as archive:
        members = check_members(archive, path, _MOST_TIMES)
        if sum(info.file_size for info in members.values()) > _MOST_BYTES + (1 << 16):
            raise FileError(path, "its n-grams take more memory than those of any text")
        for name, info in members.items():
            data = io.BytesIO()
            extract(archive, info, data)
            data.seek(0)
            arrays[Path(name).stem] = np.lib.format.read_array(data, allow_pickle=False)
    if set(arrays) != {field.name for field in dataclasses.fields(Table)}:
        raise FileError(path, "arrays are missing")
    table = Table(**arrays)
    if not _is_whole(table, size, order):
        raise FileError(path, "its n-grams contradict each other or its vocabulary")
    return table


def _is_whole(table: Table, size: int, order: int) -> bool:
    """Whether every number is in its range and every context leads to the empty one."""
    kinds = [getattr(table, name).dtype.kind for name in ("keys", "children", "suffixes")]
    if kinds != ["i"] * 3 or table.probs.dtype.kind != "f" or table.weights.dtype.kind != "f":
        return False
    if any(array.ndim != 1 or not len(array) for array in vars(table).values()):
        return False
    grams, contexts = len(table.keys), len(table.weights)
    if len(table.probs) != grams or len(table.children) != grams:
        return False
    if len(table.suffixes) != contexts:
        return False
    shares = np.concatenate([table.probs, table.weights])
    inside = bool(
        (np.diff(table.keys) > 0).all()
        and 0 <= table.keys[0]
        and table.keys[-1] < contexts * size
        and (shares >= 0).all()  # not of NaN
        and (shares <= 1 + 1e-6).all()
        and (table.children >= 0).all()
        and (table.children < contexts).all()
        and table.suffixes[0] == -1
        and (table.suffixes[1:] >= 0).all()
        and (table.suffixes < np.arange(contexts)).all()
    )
    if not inside:
        return False
    lengths = table.lengths(order)
    return bool(lengths.max() < order and (np.diff(lengths) >= 0).all())
