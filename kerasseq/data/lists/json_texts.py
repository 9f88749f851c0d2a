"""JSON from files of unknown origin, read within bounds; a repeated key is an error."""

import json
from typing import Any

from kerasseq.data.files import read_whole
from kerasseq.errors import UserError

# The least number of bytes in memory for each of these characters in the text.
_COSTS = {b"{": 240, b"[": 64, b",": 64}
_MAX_BYTES = 1_500_000_000


class _Repeated(dict):
    """An object that has a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Repeated(made)


_DECODE = json.JSONDecoder(object_pairs_hook=_object).decode


def decode_json(text: str) -> Any:
    """Returns the value of a JSON text; None if the text is not JSON."""
    try:
        return _DECODE(text)
    except (ValueError, RecursionError):
        return None


def read_json(place: str) -> Any:
    """Returns the value of a file that is one JSON text; None if the file is not JSON.

    Raises:
        UserError: if the file is too large to be read as a whole.
    """
    data = read_whole(place)
    if sum(cost * data.count(some) for some, cost in _COSTS.items()) > _MAX_BYTES:
        raise UserError(f"{place} is too large to be read as a whole; write an object a line.")
    try:
        return decode_json(data.decode(json.detect_encoding(data)))
    except UnicodeDecodeError:
        return None


def check_object(value: Any) -> dict | str:
    """Returns an object, or what is wrong with a value; other values give an empty object."""
    if value is None:
        return "not JSON"
    if isinstance(value, _Repeated):
        return "a key comes twice"
    return value if isinstance(value, dict) else {}
