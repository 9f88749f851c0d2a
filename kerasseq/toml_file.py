"""TOML files, with the lines of their keys for messages."""

import re
import tomllib
from pathlib import Path

from kerasseq.errors import UserError


def read_toml(file: Path) -> tuple[dict, dict[tuple[str, ...], int]]:
    """Returns what a TOML file holds, and the line of each key.

    Raises:
        UserError: the file cannot be read or is not TOML.
    """
    if file.exists() and not file.is_file():
        raise UserError(f"{file}: cannot read the configuration: it is no file")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UserError(f"{file}: cannot read the configuration: {reason}") from None
    try:
        return tomllib.loads(text), _find_lines(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = at.group(1) if at else len(text.splitlines())
        reason = str(error)[: at.start()] if at else str(error)
        raise UserError(f"{file}:{line}: not valid TOML: {reason}") from None
    except (ValueError, RecursionError):
        raise UserError(
            f"{file}: cannot read the configuration: a number has too many digits, or lists are "
            "too deep"
        ) from None


def _find_lines(text: str) -> dict[tuple[str, ...], int]:
    """Finds the line of each key and table, since tomllib gives no positions."""
    section, places = (), {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.\- ]+?)\s*\]", line):
            section = tuple(part.strip() for part in header.group(1).split("."))
            places.setdefault(section, number)
        elif key := re.match(r"\s*([\w.\-]+)\s*=", line):
            places.setdefault((*section, *key.group(1).split(".")), number)
    return places
