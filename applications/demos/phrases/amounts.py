"""Durations, money, measures and plain numbers."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from decimal import Decimal
from random import Random

from babel import Locale
from babel.dates import TIMEDELTA_UNITS, format_timedelta
from babel.lists import format_list
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)
from babel.units import format_unit

from kerasseq.applications.demos.phrases.kind import Kind, Owns, draw_owned

SECONDS = dict(TIMEDELTA_UNITS)

# Pairs of units that are said in one breath, with the largest count of each.
DURATIONS = {
    ("year", "month"): (30, 11),
    ("week", "day"): (12, 6),
    ("day", "hour"): (30, 23),
    ("hour", "minute"): (23, 59),
    ("minute", "second"): (59, 59),
}

CURRENCIES = (
    "AED ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW "
    "MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TRY UAH USD VND ZAR"
).split()

TEMPERATURES = ["temperature-celsius", "temperature-fahrenheit"]

# Units that a short form writes with letters and signs alone, so that normal forms agree on them.
UNITS = [
    *TEMPERATURES,
    *(f"length-{u}" for u in "millimeter centimeter meter kilometer inch foot yard mile".split()),
    *(f"length-{u}" for u in "nautical-mile light-year".split()),
    *(f"mass-{u}" for u in "milligram gram kilogram tonne ounce pound carat".split()),
    *(f"speed-{u}" for u in "kilometer-per-hour meter-per-second mile-per-hour knot".split()),
    *(f"volume-{u}" for u in "milliliter centiliter deciliter liter hectoliter gallon".split()),
    *(f"area-{u}" for u in "acre hectare".split()),
    *(f"duration-{u}" for u in "millisecond second minute hour day week month year".split()),
    *(f"digital-{u}" for u in "bit byte kilobyte megabyte gigabyte terabyte".split()),
    *(f"power-{u}" for u in "watt kilowatt megawatt gigawatt horsepower".split()),
    *(f"energy-{u}" for u in "calorie kilocalorie joule kilojoule kilowatt-hour".split()),
    *(f"frequency-{u}" for u in "hertz kilohertz megahertz gigahertz".split()),
    *(f"electric-{u}" for u in "ampere volt ohm".split()),
    *(f"pressure-{u}" for u in "hectopascal millibar bar".split()),
    *(f"graphics-{u}" for u in "pixel megapixel".split()),
    *(f"angle-{u}" for u in "degree radian".split()),
]
LONG_UNITS = UNITS + [
    *(f"area-square-{u}" for u in "centimeter meter kilometer foot mile".split()),
    *(f"volume-cubic-{u}" for u in "centimeter meter kilometer".split()),
]

# Whole numbers below this one are never held out: a unit's form beside them may be theirs alone.
ALWAYS_SAID = 4


def make_number_key(number: Decimal | int, unit: str) -> Hashable | None:
    """Returns the value that belongs to one part: the number, with its unit if small and whole."""
    size = abs(number)
    if size != int(size) or size >= 100:
        return "number", Decimal(size).normalize()
    return None if size < ALWAYS_SAID else ("number", int(size), unit)


def draw_number(
    rng: Random, owns: Owns, unit: str, decimals: int = 1, signed: bool = False
) -> Decimal:
    """Draws a number that people would write: small and whole, large, or with a fraction."""

    def draw() -> Decimal:
        size = rng.random()
        if size < 0.35:
            number = Decimal(rng.randrange(1, 100))
        elif size < 0.65:
            number = Decimal(int(10 ** rng.uniform(2, 6)))
        else:
            number = Decimal(int(10 ** rng.uniform(1, 6))).scaleb(-decimals)
        number = Decimal(int(number)) if number == int(number) else number.normalize()
        return -number if signed and rng.random() < 0.3 else number

    return draw_owned(owns, draw, lambda number: make_number_key(number, unit))


def word_unit(locale: Locale, number: Decimal | int, unit: str, length: str) -> str:
    # Without this babel falls back on a name that does not agree with the number.
    if "other" not in locale._data["unit_patterns"].get(unit, {}).get(length, {}):
        raise LookupError(f"{locale} has no {length} {unit}")
    return format_unit(number, unit, length, locale=locale)


def word_money(locale: Locale, money: tuple[Decimal, str], style: str) -> str:
    if money[1] not in locale.currencies:
        raise LookupError(f"{locale} has no name of {money[1]}")
    return format_currency(*money, locale=locale, format_type=style)


def find_distinct(
    locales: tuple[Locale, ...],
    pool: list[str],
    word: Callable[[Locale, tuple[int, str]], str],
    said: dict[str, tuple[str, ...]],
) -> list[str]:
    """Finds the members that every locale can count, and whose words in the first are unique.

    `said` holds the phrases that were counted before, and grows: "2 bit" must not be the short
    form of something for which the second locale has another long form.

    Raises:
        LookupError: they are too few to make phrases of.
    """
    chosen = []
    for member in pool:
        try:
            counted = [tuple(word(loc, (n, member)) for loc in locales) for n in (1, 2, 5)]
        except (LookupError, ValueError):
            continue
        if all(said.get(phrase[0], phrase) == phrase for phrase in counted):
            said.update((phrase[0], phrase) for phrase in counted)
            chosen.append(member)
    if len(chosen) < 10:
        raise LookupError(f"only {len(chosen)} of {len(pool)} have a name in every locale")
    return chosen


def make_duration_kind(share: float) -> Kind:
    def draw(rng: Random, owns: Owns) -> tuple:
        units = rng.choice(list(DURATIONS))

        def counts() -> tuple:
            largest = zip(DURATIONS[units], units, strict=True)
            return tuple((rng.randint(1, most), unit) for most, unit in largest)

        return draw_owned(owns, counts, lambda value: value)

    def word(locale: Locale, value: tuple) -> str:
        return format_list(
            [word_unit(locale, count, f"duration-{unit}", "long") for count, unit in value],
            locale=locale,
        )

    return Kind("duration", share, draw, word)


def make_relative_kind(share: float) -> Kind:
    """Makes phrases of a time ago or from now."""

    def draw(rng: Random, owns: Owns) -> tuple:
        count, unit = draw_owned(
            owns,
            lambda: (rng.randrange(1, 100), rng.choice(list(SECONDS))),
            lambda value: make_number_key(*value),
        )
        return rng.choice((-1, 1)), count, unit

    def word(locale: Locale, value: tuple) -> str:
        sign, count, unit = value
        return format_timedelta(
            sign * count * SECONDS[unit],
            granularity=unit,
            threshold=float("inf"),  # never a larger unit
            add_direction=True,
            locale=locale,
        )

    atoms = tuple((s, n, u) for s in (-1, 1) for n in range(1, ALWAYS_SAID) for u in SECONDS)
    return Kind("relative time", share, draw, word, atoms)


def make_money_kind(share: float, style: str, locales: tuple[Locale, ...], said: dict) -> Kind:
    def word(locale: Locale, money: tuple) -> str:
        return word_money(locale, money, style)

    pool = find_distinct(locales, CURRENCIES, word, said)

    def draw(rng: Random, owns: Owns) -> tuple:
        code = rng.choice(pool)
        precision = get_currency_precision(code)
        return draw_number(rng, owns, code, precision), code

    atoms = tuple((Decimal(n), code) for code in pool for n in (1, 2))
    return Kind(f"money {style}", share, draw, word, atoms)


def make_measure_kind(
    share: float, length: str, units: list[str], locales: tuple[Locale, ...], said: dict
) -> Kind:
    def word(locale: Locale, measure: tuple) -> str:
        return word_unit(locale, *measure, length)

    pool = find_distinct(locales, units, word, said)

    def draw(rng: Random, owns: Owns) -> tuple:
        unit = rng.choice(pool)
        return draw_number(rng, owns, unit, signed=unit in TEMPERATURES), unit

    atoms = tuple((n, unit) for unit in pool for n in range(1, ALWAYS_SAID))
    return Kind(f"measure {length}", share, draw, word, atoms)


def make_number_kinds() -> list[Kind]:
    """Makes plain numbers, percentages, and round numbers with a word such as million."""

    def percentage(rng: Random, owns: Owns) -> Decimal:
        number = draw_owned(
            owns,
            lambda: Decimal(rng.randrange(1, 1000)).scaleb(-rng.randrange(2)),
            lambda number: make_number_key(number, "percent"),
        )
        return number.scaleb(-2)

    def round_number(rng: Random, owns: Owns) -> int:
        # Two digits, since a locale that counts in other powers may not show a third.
        return draw_owned(
            owns,
            lambda: rng.randrange(11, 100) * 10 ** rng.randrange(5, 10),
            lambda number: make_number_key(number, ""),
        )

    return [
        Kind(
            "number",
            1.5,
            lambda rng, owns: draw_number(rng, owns, "", 2),
            lambda locale, number: format_decimal(number, locale=locale),
        ),
        Kind(
            "percentage",
            1.5,
            percentage,
            lambda loc, n: format_percent(n, locale=loc, decimal_quantization=False),
        ),
        Kind(
            "round number",
            1,
            round_number,
            lambda locale, number: format_compact_decimal(
                number, format_type="long", fraction_digits=1, locale=locale
            ),
        ),
    ]


def make_amount_kinds(locales: tuple[Locale, ...]) -> list[Kind]:
    kinds = [make_duration_kind(4), make_relative_kind(2), *make_number_kinds()]
    said: dict[str, tuple[str, ...]] = {}
    for make, *arguments in (
        (make_money_kind, 7, "standard"),
        (make_money_kind, 5, "name"),
        (make_measure_kind, 7, "long", LONG_UNITS),
        (make_measure_kind, 4, "short", UNITS),
    ):
        with suppress(LookupError):
            kinds.append(make(*arguments, locales, said))
    return kinds
