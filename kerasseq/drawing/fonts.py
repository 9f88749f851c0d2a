"""Texts in pictures: fonts that have their characters, and lines that fit."""

import textwrap
import unicodedata
import warnings
from collections.abc import Iterable
from typing import NamedTuple

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

# The most codes of one label, and the most lines of a title.
_MOST_CODES, _MOST_LINES = 3, 8


class Fonts(NamedTuple):
    """Fonts for some texts.

    Attributes:
        families: the fonts, as Matplotlib takes them.
        missing: the characters that no font has.
    """

    families: list[str]
    missing: frozenset[str]

    @classmethod
    def find(cls, texts: Iterable[str]) -> "Fonts":
        """Finds fonts for some texts: the default one, and others if needed.

        It warns if no installed font has a character.
        """
        families = ["DejaVu Sans"]
        missing = set("".join(texts)) - _list_characters(font_manager.findfont(families[0]))
        fonts = sorted(font_manager.fontManager.ttflist, key=lambda font: (font.name, font.fname))
        for font in fonts if missing else ():
            # The font of last resort draws a box for every character.
            if font.name.startswith("Last Resort") or font.style != "normal":
                continue
            covered = missing & _list_characters(font.fname)
            if covered:
                families.append(font.name)
                missing -= covered
            if not missing:
                break
        if missing:
            warnings.warn(
                f"no installed font has {''.join(sorted(missing)[:10])}: these characters are "
                "drawn as their codes; install a font that has them, such as Noto Sans",
                stacklevel=3,
            )
        return cls(families, frozenset(missing))

    @property
    def options(self) -> dict:
        """The arguments of Matplotlib's texts."""
        return {"family": self.families, "parse_math": False}

    @property
    def note(self) -> str:
        """A line for a picture with codes; empty without."""
        if not self.missing:
            return ""
        code = _code(min(self.missing))
        return f"{code}: the code of a character that no installed font has; install Noto Sans"

    def spell(self, text: str, most: int = _MOST_CODES) -> str:
        """Returns a text with the codes of characters that no font has, of `most` at most."""
        spelled, codes = [], 0
        for character in text:
            codes += character in self.missing
            if codes > most:
                return "".join(spelled) + "\N{HORIZONTAL ELLIPSIS}"
            spelled.append(_code(character) if character in self.missing else character)
        return "".join(spelled)

    def wrap(self, text: str, inches: float, size: float) -> list[str]:
        """Returns the lines of a title of a width and a font size; a long one ends in dots."""
        text = self.spell(" ".join(text.split()), most=40)
        wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
        stretch = 1 + wide / max(len(text), 1)
        # A letter is 0.6 of the font's size wide, on the average.
        columns = max(int(72 * inches / (0.6 * size * stretch)), 10)
        return textwrap.wrap(
            text, columns, max_lines=_MOST_LINES, placeholder=" \N{HORIZONTAL ELLIPSIS}"
        )


def _code(character: str) -> str:
    return f"[{ord(character):04X}]"


def _list_characters(path: str) -> set[str]:
    return {chr(code) for code in FT2Font(path).get_charmap()}
