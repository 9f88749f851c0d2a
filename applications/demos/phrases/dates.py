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


def pattern(locale: Locale, style: str):
    """CLDR's pattern of a date: full, long, short, or a skeleton such as yMMMd.

    Raises:
        LookupError: the locale has none, or only the root's, which numbers the months.
    """
    if locale.months["format"]["wide"][1] == "M01":
        raise LookupError(f"{locale} has no names of months")
    known = locale.date_formats if style in locale.date_formats else locale.datetime_skeletons
    return known[style]


def clock(locale: Locale, style: str):
    """CLDR's pattern of a time of day, short or medium.

    Raises:
        LookupError: it counts twelve hours and does not say which twelve.
    """
    found = locale.time_formats[style]
    letters = fields(found)
    if letters & set("hK") and not letters & set("abB"):
        raise LookupError(f"{locale} does not tell morning from evening")
    return found


def fields(pattern) -> set[str]:
    """The letters of a pattern: what it says of a date or time."""
    return set(re.findall("[A-Za-z]", re.sub("'[^']*'", "", pattern.pattern)))


def tells(pattern) -> set[str]:
    """What a pattern says, whichever way it says it."""
    return {field.translate(SAME_FIELD) for field in fields(pattern)} - set("abBG")


def draw_day(rng: Random, owns: Owns, shown: str = DAY) -> datetime.date:
    """A date; `shown` is the strftime format of what the phrase tells of it."""
    return draw_owned(
        owns,
        lambda: FIRST + datetime.timedelta(rng.randrange(DAYS)),
        lambda day: day.strftime(shown),
    )


def draw_time(rng: Random, owns: Owns, shown: str = MINUTE) -> datetime.time:
    """A time of day; `shown` is the strftime format of what the phrase tells of it."""

    def draw() -> datetime.time:
        return datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60))

    return draw_owned(owns, draw, lambda time: time.strftime(shown))


def date_kind(share: float, style: str, shown: str = DAY) -> Kind:
    return Kind(
        f"date {style}",
        share,
        lambda rng, owns: draw_day(rng, owns, shown),
        lambda locale, day: pattern(locale, style).apply(day, locale),
    )


def time_kind(share: float, style: str, shown: str) -> Kind:
    return Kind(
        f"time {style}",
        share,
        lambda rng, owns: draw_time(rng, owns, shown),
        lambda locale, time: clock(locale, style).apply(time, locale),
    )


def sentence_kind(share: float, style: str, timed: bool) -> Kind:
    """A date, with the time or without, as it stands in a sentence."""

    def word(locale: Locale, value: tuple) -> str:
        day, time = value
        return SENTENCES[locale.language][timed].format(
            date=pattern(locale, style).apply(day, locale),
            time=clock(locale, "short").apply(time, locale),
        )

    def draw(rng: Random, owns: Owns) -> tuple:
        return draw_day(rng, owns), draw_time(rng, owns if timed else lambda key: True)

    return Kind(f"date {style} in a sentence{' with time' * timed}", share, draw, word)


def pair_kind(share: float, style: str) -> Kind:
    """A date and a time, as they stand outside a sentence."""

    def word(locale: Locale, value: tuple) -> str:
        day, time = value
        return (
            str(locale.datetime_formats["medium"])
            .replace("'", "")
            .replace("{1}", pattern(locale, style).apply(day, locale))
            .replace("{0}", clock(locale, "short").apply(time, locale))
        )

    return Kind(
        f"date {style} and time",
        share,
        lambda rng, owns: (draw_day(rng, owns), draw_time(rng, owns)),
        word,
    )


def span(locale: Locale, value: tuple, skeleton: str) -> str:
    # babel cannot compare the parts of the day ("B") that some locales tell apart.
    if "B" in locale.interval_formats.get(skeleton, "B"):
        raise LookupError(f"{locale} has no spans of {skeleton}")
    return format_interval(*value, skeleton, locale=locale)


def day_span_kind(share: float, skeleton: str, shown: str) -> Kind:
    """The days from one to another, at most a few months later."""

    def draw(rng: Random, owns: Owns) -> tuple:
        while True:
            start = draw_day(rng, owns, shown)
            end = start + datetime.timedelta(rng.randrange(1, 120))
            if owns(end.strftime(shown)):
                return start, end

    def word(locale: Locale, value: tuple) -> str:
        pattern(locale, "long")  # to be sure that the months have names
        return span(locale, value, skeleton)

    return Kind(f"span {skeleton}", share, draw, word)


def time_span_kind(share: float) -> Kind:
    """The hours from one time of day to a later one."""

    def draw(rng: Random, owns: Owns) -> tuple:
        ends: set[datetime.time] = set()
        while len(ends) < 2:
            ends.add(draw_time(rng, owns).replace(second=0))
        return tuple(sorted(ends))

    def word(locale: Locale, value: tuple) -> str:
        return span(locale, value, "Hm" if "H" in fields(clock(locale, "short")) else "hm")

    return Kind("span of time", share, draw, word)


def date_kinds(locales: tuple[Locale, ...]) -> list[Kind]:
    """The kinds of date and time of which the first locale tells all that the others need."""
    styles = {
        "full": date_kind(6, "full"),
        "long": date_kind(4, "long"),
        "yMMMd": date_kind(3, "yMMMd"),
        "yMMMEd": date_kind(3, "yMMMEd"),
        "yMd": date_kind(3, "yMd"),
        "short": date_kind(2, "short"),
        "yMMMM": date_kind(1, "yMMMM", "%Y-%m"),
        "MMMMd": date_kind(0.5, "MMMMd", "%m-%d"),
        "MMMEd": date_kind(1.5, "MMMEd", "%m-%d %w"),
    }
    paired = {
        "full": [
            sentence_kind(5, "full", timed=True),
            sentence_kind(2, "full", timed=False),
            pair_kind(2, "full"),
        ],
        "long": [sentence_kind(2, "long", timed=True), sentence_kind(1, "long", timed=False)],
        "yMMMd": [pair_kind(2, "yMMMd")],
    }
    kinds = [time_kind(2.5, "short", MINUTE)]
    if informed(locales, clock, "medium"):
        kinds.append(time_kind(0.5, "medium", "%H:%M:%S"))
    for style, kind in styles.items():
        if informed(locales, pattern, style):
            kinds += [kind, *paired.get(style, [])]
    return [
        *kinds,
        day_span_kind(3, "yMMMd", DAY),
        day_span_kind(1, "MMMd", "%m-%d"),
        time_span_kind(2),
    ]


def informed(locales: tuple[Locale, ...], find, style: str) -> bool:
    """Whether the first locale's pattern tells all that the other patterns say."""
    try:
        source, *others = (tells(find(locale, style)) for locale in locales)
    except LookupError:
        return False
    return all(other <= source for other in others)
