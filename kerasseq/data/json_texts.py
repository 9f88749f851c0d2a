"""JSON that strangers wrote: bounded, and with one reading."""

import json
from typing import Any

from kerasseq.data.files import read_whole
from kerasseq.errors import UserError

# Bytes that a value takes in memory: at least as many for each of these characters in the text.
_COSTS = {b"{": 240, b"[": 64, b",": 64}
_MOST = 1_500_000_000


class _Twice(dict):
    """An object in which a key comes twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Twice(made)


_DECODE = json.JSONDecoder(object_pairs_hook=_object).decode


def decoded(text: str) -> Any:
    """The value of a JSON text; None is none."""
    try:
        return _DECODE(text)
    except (ValueError, RecursionError):
        return None


def whole_json(place: str) -> Any:
    """The value of a file that is one JSON text; None is none.

    Raises:
        UserError: the file is too large to be read as a whole.
    """
    data = read_whole(place)
    if sum(cost * data.count(some) for some, cost in _COSTS.items()) > _MOST:
        raise UserError(f"{place} is too large to be read as a whole; write an object a line.")
    try:
        return decoded(data.decode(json.detect_encoding(data)))
    except UnicodeDecodeError:
        return None


def checked(row: Any) -> dict | str:
    """An object, or what is wrong with it."""
    if row is None:
        return "not JSON"
    if isinstance(row, _Twice):
        return "a key comes twice"
    return row if isinstance(row, dict) else {}
