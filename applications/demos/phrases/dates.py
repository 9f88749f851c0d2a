"""Dates, times of day, both together, and spans of them."""

import datetime
import re
from random import Random

from babel import Locale
from babel.dates import format_interval

from kerasseq.applications.demos.phrases.kind import Kind, Owns, draw_owned

# A hundred years, so that two digits are enough to tell them apart.
FIRST, DAYS = datetime.date(1950, 1, 1), 36524

# The pairing of a date and a time inside a sentence (CLDR's type "atTime"), with the preposition
# that the sentence puts before the date. babel keeps only CLDR's pairing outside a sentence.
SENTENCES = {
    "da": ("{date}", "{date} kl. {time}"),
    "de": ("am {date}", "am {date} um {time}"),
    "en": ("on {date}", "on {date} at {time}"),
    "fr": ("le {date}", "le {date} à {time}"),
    "it": ("{date}", "{date} alle ore {time}"),
    "nb": ("{date}", "{date} kl. {time}"),
    "nl": ("op {date}", "op {date} om {time}"),
    "no": ("{date}", "{date} kl. {time}"),
    "sv": ("{date}", "{date} kl. {time}"),
}

# Letters of a CLDR pattern that give the same information.
SAME_FIELD = str.maketrans({"L": "M", "c": "E", "e": "E", "h": "H", "k": "H", "K": "H"})

DAY, MINUTE = "%Y-%m-%d", "%H:%M"


def find_date_pattern(locale: Locale, style: str):
    """Returns CLDR's pattern of a date: full, long, short, or a skeleton such as yMMMd.

    Raises:
        LookupError: the locale has none, or only the root's, which numbers the months.
    """
    if locale.months["format"]["wide"][1] == "M01":
        raise LookupError(f"{locale} has no names of months")
    known = locale.date_formats if style in locale.date_formats else locale.datetime_skeletons
    return known[style]


def find_time_pattern(locale: Locale, style: str):
    """Returns CLDR's pattern of a time of day, short or medium.

    Raises:
        LookupError: it counts twelve hours and does not say which twelve.
    """
    pattern = locale.time_formats[style]
    letters = list_fields(pattern)
    if letters & set("hK") and not letters & set("abB"):
        raise LookupError(f"{locale} does not tell morning from evening")
    return pattern


def list_fields(pattern) -> set[str]:
    """Returns the letters of a pattern, one for each field of a date or time."""
    return set(re.findall("[A-Za-z]", re.sub("'[^']*'", "", pattern.pattern)))


def list_said_fields(pattern) -> set[str]:
    """Returns the fields of a pattern, with one letter for all ways to say a field."""
    return {field.translate(SAME_FIELD) for field in list_fields(pattern)} - set("abBG")


def draw_day(rng: Random, owns: Owns, precision: str = DAY) -> datetime.date:
    """Draws a date; `precision` is the strftime format of what a phrase says of it."""
    return draw_owned(
        owns,
        lambda: FIRST + datetime.timedelta(rng.randrange(DAYS)),
        lambda day: day.strftime(precision),
    )


def draw_time(rng: Random, owns: Owns, precision: str = MINUTE) -> datetime.time:
    """Draws a time of day; `precision` is the strftime format of what a phrase says of it."""

    def draw() -> datetime.time:
        return datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60))

    return draw_owned(owns, draw, lambda time: time.strftime(precision))


def make_date_kind(share: float, style: str, precision: str = DAY) -> Kind:
    return Kind(
        f"date {style}",
        share,
        lambda rng, owns: draw_day(rng, owns, precision),
        lambda locale, day: find_date_pattern(locale, style).apply(day, locale),
    )


def make_time_kind(share: float, style: str, precision: str) -> Kind:
    return Kind(
        f"time {style}",
        share,
        lambda rng, owns: draw_time(rng, owns, precision),
        lambda locale, time: find_time_pattern(locale, style).apply(time, locale),
    )


def make_sentence_kind(share: float, style: str, timed: bool) -> Kind:
    """Makes dates, with a time or without, as they stand in a sentence."""

    def word(locale: Locale, value: tuple) -> str:
        day, time = value
        return SENTENCES[locale.language][timed].format(
            date=find_date_pattern(locale, style).apply(day, locale),
            time=find_time_pattern(locale, "short").apply(time, locale),
        )

    def draw(rng: Random, owns: Owns) -> tuple:
        return draw_day(rng, owns), draw_time(rng, owns if timed else lambda key: True)

    return Kind(f"date {style} in a sentence{' with time' * timed}", share, draw, word)


def make_pair_kind(share: float, style: str) -> Kind:
    """Makes dates with times, as they stand outside a sentence."""

    def word(locale: Locale, value: tuple) -> str:
        day, time = value
        return (
            str(locale.datetime_formats["medium"])
            .replace("'", "")
            .replace("{1}", find_date_pattern(locale, style).apply(day, locale))
            .replace("{0}", find_time_pattern(locale, "short").apply(time, locale))
        )

    return Kind(
        f"date {style} and time",
        share,
        lambda rng, owns: (draw_day(rng, owns), draw_time(rng, owns)),
        word,
    )


def format_span(locale: Locale, value: tuple, skeleton: str) -> str:
    # babel cannot compare the parts of the day ("B") that some locales tell apart.
    if "B" in locale.interval_formats.get(skeleton, "B"):
        raise LookupError(f"{locale} has no spans of {skeleton}")
    return format_interval(*value, skeleton, locale=locale)


def make_day_span_kind(share: float, skeleton: str, precision: str) -> Kind:
    """Makes spans of days, of a few months at most."""

    def draw(rng: Random, owns: Owns) -> tuple:
        while True:
            start = draw_day(rng, owns, precision)
            end = start + datetime.timedelta(rng.randrange(1, 120))
            if owns(end.strftime(precision)):
                return start, end

    def word(locale: Locale, value: tuple) -> str:
        find_date_pattern(locale, "long")  # to be sure that the months have names
        return format_span(locale, value, skeleton)

    return Kind(f"span {skeleton}", share, draw, word)


def make_time_span_kind(share: float) -> Kind:
    """Makes spans from one time of day to a later one."""

    def draw(rng: Random, owns: Owns) -> tuple:
        ends: set[datetime.time] = set()
        while len(ends) < 2:
            ends.add(draw_time(rng, owns).replace(second=0))
        return tuple(sorted(ends))

    def word(locale: Locale, value: tuple) -> str:
        return format_span(
            locale, value, "Hm" if "H" in list_fields(find_time_pattern(locale, "short")) else "hm"
        )

    return Kind("span of time", share, draw, word)


def make_date_kinds(locales: tuple[Locale, ...]) -> list[Kind]:
    """Makes the kinds of date and time in which the first locale says all that the others need."""
    styles = {
        "full": make_date_kind(6, "full"),
        "long": make_date_kind(4, "long"),
        "yMMMd": make_date_kind(3, "yMMMd"),
        "yMMMEd": make_date_kind(3, "yMMMEd"),
        "yMd": make_date_kind(3, "yMd"),
        "short": make_date_kind(2, "short"),
        "yMMMM": make_date_kind(1, "yMMMM", "%Y-%m"),
        "MMMMd": make_date_kind(0.5, "MMMMd", "%m-%d"),
        "MMMEd": make_date_kind(1.5, "MMMEd", "%m-%d %w"),
    }
    paired = {
        "full": [
            make_sentence_kind(5, "full", timed=True),
            make_sentence_kind(2, "full", timed=False),
            make_pair_kind(2, "full"),
        ],
        "long": [
            make_sentence_kind(2, "long", timed=True),
            make_sentence_kind(1, "long", timed=False),
        ],
        "yMMMd": [make_pair_kind(2, "yMMMd")],
    }
    kinds = [make_time_kind(2.5, "short", MINUTE)]
    if says_enough(locales, find_time_pattern, "medium"):
        kinds.append(make_time_kind(0.5, "medium", "%H:%M:%S"))
    for style, kind in styles.items():
        if says_enough(locales, find_date_pattern, style):
            kinds += [kind, *paired.get(style, [])]
    return [
        *kinds,
        make_day_span_kind(3, "yMMMd", DAY),
        make_day_span_kind(1, "MMMd", "%m-%d"),
        make_time_span_kind(2),
    ]


def says_enough(locales: tuple[Locale, ...], find, style: str) -> bool:
    """Returns whether the first locale's pattern has all fields of the other patterns."""
    try:
        source, *others = (list_said_fields(find(locale, style)) for locale in locales)
    except LookupError:
        return False
    return all(other <= source for other in others)
