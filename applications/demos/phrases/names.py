"""Lists of places and of languages."""

import re
from random import Random

from babel import Locale
from babel.lists import format_list

from kerasseq.applications.demos.phrases.kind import Kind, Owns, draw_owned

# Codes that stand for no place on a map.
NO_PLACES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


def find_shared_names(locales: tuple[Locale, ...]) -> dict[str, list[str]]:
    """Finds the codes of places and languages that every locale names.

    A name that stands for two things in the first locale is left out: "Nauru" is both an island
    and its language, and only the second has another name in German.
    """
    pools = {
        "territories": [
            c for c in get_names(locales[0], "territories") if re.fullmatch("[A-Z]{2}", c)
        ],
        "languages": [c for c in get_names(locales[0], "languages") if re.fullmatch("[a-z]{2}", c)],
    }
    meanings: dict[str, set[tuple[str, ...]]] = {}
    for what, codes in pools.items():
        pools[what] = [
            code
            for code in sorted(codes)
            if code not in NO_PLACES and all(code in get_names(locale, what) for locale in locales)
        ]
        for code in pools[what]:
            words = tuple(get_names(locale, what)[code] for locale in locales)
            meanings.setdefault(words[0], set()).add(words)
    return {
        what: [code for code in codes if len(meanings[get_names(locales[0], what)[code]]) == 1]
        for what, codes in pools.items()
    }


def get_names(locale: Locale, what: str) -> dict[str, str]:
    return getattr(locale, what)


def make_list_kind(share: float, what: str, pool: list[str], joined: str) -> Kind:
    """Makes lists of two to four names, joined by "and" (CLDR's style "standard") or by "or"."""

    def draw(rng: Random, owns: Owns) -> tuple[str, ...]:
        count = rng.choice((2, 2, 3, 3, 4))
        return draw_owned(
            owns, lambda: tuple(rng.sample(pool, count)), lambda codes: (what, *sorted(codes))
        )

    def word(locale: Locale, codes: tuple[str, ...]) -> str:
        return format_list([get_names(locale, what)[code] for code in codes], joined, locale=locale)

    atoms = tuple((code,) for code in pool) if joined == "standard" else ()
    return Kind(f"{what} {joined}", share, draw, word, atoms)


def make_name_kinds(locales: tuple[Locale, ...]) -> list[Kind]:
    """Makes the lists whose names are so many that most combinations are never said."""
    shares = {"territories": (9, 3), "languages": (6, 2)}
    return [
        make_list_kind(share, what, pool, joined)
        for what, pool in find_shared_names(locales).items()
        for share, joined in zip(shares[what], ("standard", "or"), strict=True)
        if len(pool) >= 30
    ]
