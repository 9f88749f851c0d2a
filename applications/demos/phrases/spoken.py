"""English phrases of the Unicode CLDR in the words in which they are said."""

import re
import unicodedata

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
SCALES = ("", " thousand", " million", " billion", " trillion")
ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
NAMES = (
    "January February March April May June July August September October November December "
    "Sunday Monday Tuesday Wednesday Thursday Friday Saturday"
).split()
MONTH = "|".join(NAMES[:12])
NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"


def spell_out(text: str) -> str:
    """Returns a phrase of the locale `en` as it is said: lower case, letters and spaces.

    "on Tuesday, March 3, 2026 at 5:04 PM" is "on tuesday march third twenty twenty six at five oh
    four pm". It knows full and abbreviated dates, times, spans, numbers, percentages, units and
    currencies by name, and names of places.
    """
    text = " ".join(text.split())
    short = "|".join(name[:3] for name in NAMES)
    text = re.sub(rf"\b({short})(?=, | \d)", _expand_name, text)
    text = re.sub(r"(?<!\w)[-−](?=\d)", "minus ", text)
    text = re.sub(r"\s*–\s*", " to ", text)
    day = rf"\b({MONTH}) (\d{{1,2}})\b(?!:)"
    text = re.sub(day, lambda m: f"{m[1]} {spell_ordinal(int(m[2]))}", text)
    text = re.sub(r"(?<![\d,.])[12]\d{3}\b(?![,.]\d)", lambda m: spell_year(int(m[0])), text)
    text = re.sub(r"\b(\d{1,2}):(\d\d)\b", lambda m: spell_time(int(m[1]), int(m[2])), text)
    text = re.sub(rf"(?:{NUMBER})", lambda m: f" {spell_number(m[0])} ", text)
    for sign, word in (("%", " percent"), ("&", " and "), ("St.", "saint"), ("U.S.", "U S")):
        text = text.replace(sign, word)
    text = unicodedata.normalize("NFD", text.replace("’", "'"))
    return " ".join(re.sub(r"[^a-z' ]", "", re.sub(r"[-,().]", " ", text.lower())).split())


def spell_cardinal(value: int) -> str:
    """Spells 1250 as "one thousand two hundred fifty"."""
    if value < 20:
        return ONES[value]
    if value < 100:
        return TENS[value // 10] + (f" {ONES[value % 10]}" if value % 10 else "")
    if value < 1000:
        rest = value % 100
        return f"{ONES[value // 100]} hundred" + (f" {spell_cardinal(rest)}" if rest else "")
    words = []
    for place, scale in enumerate(SCALES):
        if part := value // 1000**place % 1000:
            words.append(spell_cardinal(part) + scale)
    return " ".join(reversed(words))


def spell_ordinal(value: int) -> str:
    """Spells 23 as "twenty third"."""
    *before, last = spell_cardinal(value).split()
    last = ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return " ".join([*before, last])


def spell_year(value: int) -> str:
    """Spells 1905 as "nineteen oh five", 2006 as "two thousand six"."""
    century, rest = divmod(value, 100)
    if value // 1000 * 1000 <= value < value // 1000 * 1000 + 10:
        return spell_cardinal(value)
    if not rest:
        return f"{spell_cardinal(century)} hundred"
    return f"{spell_cardinal(century)} {'oh ' if rest < 10 else ''}{spell_cardinal(rest)}"


def spell_time(hour: int, minute: int) -> str:
    """Spells 5:04 as "five oh four", 5:00 as "five"."""
    if not minute:
        return spell_cardinal(hour)
    return f"{spell_cardinal(hour)} {'oh ' if minute < 10 else ''}{spell_cardinal(minute)}"


def spell_number(text: str) -> str:
    """Spells 1,250.5 as "one thousand two hundred fifty point five", and leaves out ".0"."""
    whole, _, fraction = text.replace(",", "").partition(".")
    words = spell_cardinal(int(whole))
    if fraction.strip("0"):
        words += " point " + " ".join(ONES[int(digit)] for digit in fraction)
    return words


def mark_initials(words: str) -> str:
    """Writes the initials in a text of `spell_out` in capitals, for a synthesiser."""
    return re.sub(r"\b(am|pm|sar|uae)\b", lambda match: match[0].upper(), words)


def _expand_name(match: re.Match) -> str:
    return next(name for name in NAMES if name.startswith(match[1]))
