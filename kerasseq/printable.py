"""Texts from files and models without effects on the terminal."""

import json
import math
import re
from typing import Any

# Control characters, separators of lines and paragraphs, embeddings and overrides of the writing
# direction, and the lone surrogates that stand for bytes of a name that is not UTF-8. Joiners and
# direction marks stay: Persian and Hebrew need them.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def is_text(text: str) -> bool:
    """Returns whether a text has no lone surrogates, which JSON can contain and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def escape(text: object) -> str:
    """Returns a text on one line, with `\\uXXXX` for each character that controls a terminal."""
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", str(text))


def escape_lines(text: object) -> str:
    """Escapes each line of a text, and keeps the line breaks."""
    return "\n".join(map(escape, str(text).split("\n")))


def dump_json(value: Any, indent: int | None = None) -> str:
    """Returns a value as escaped JSON, with null for NaN and infinities, which JSON lacks."""
    return escape_lines(json.dumps(_replace_non_finite(value), ensure_ascii=False, indent=indent))


def _replace_non_finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_non_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
