"""Locales of the Unicode CLDR, as the package `babel` holds them."""

import difflib
import re
import unicodedata

from babel import Locale, UnknownLocaleError, localedata

from kerasseq.errors import UserError

# Marks of writing direction. They are invisible, and no keyboard types them.
DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def find_locale(code: str) -> Locale:
    """Returns the locale with a CLDR code such as `de`, `pt_BR` or `zh-Hant`.

    Raises:
        UserError: there is none; the sentence names the nearest.
    """
    try:
        return Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        raise UserError(
            f"there is no locale {code!r}; near it: {', '.join(suggest_codes(code))}"
        ) from None


def suggest_codes(code: str) -> list[str]:
    """Returns up to five codes that resemble `code`, or whose language has that English name."""
    by_name = {name.casefold(): language for language, name in Locale("en").languages.items()}
    known = localedata.locale_identifiers()
    named = [by_name[n] for n in difflib.get_close_matches(code.casefold(), by_name, 2, 0.8)]
    written = difflib.get_close_matches(code.replace("-", "_"), sorted(known), 5, 0.5)
    codes = dict.fromkeys([c for c in named if c in known] + written)
    return list(codes)[:5] or ["de", "en", "es", "fr", "zh"]


def clean(text: str) -> str:
    """Normalizes a text to NFC, with one plain space for every run of white space."""
    return " ".join(DIRECTION_MARKS.sub("", unicodedata.normalize("NFC", text)).split())
