"""Text of files and models in a form that can do nothing to the terminal that shows it."""

import json
import math
import re
from typing import Any

# Control characters, separators of lines and paragraphs, and what embeds or overrides a direction
# of writing. Also the lone surrogates that stand for the bytes of a name that is not UTF-8. Joiners
# and marks of direction stay: Persian and Hebrew need them.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def is_text(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, which JSON can spell and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: object) -> str:
    """A text on one line, with `\\uXXXX` for each character that controls a terminal."""
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", str(text))


def printable_lines(text: object) -> str:
    """A text whose line breaks are kept, each line as `printable` has it."""
    return "\n".join(map(printable, str(text).split("\n")))


def printable_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON that can be shown; NaN and the infinities, which JSON lacks, are null."""
    return printable_lines(json.dumps(_finite(value), ensure_ascii=False, indent=indent))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
