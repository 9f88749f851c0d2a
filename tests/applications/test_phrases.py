"""The embedded phrases: what they say, and that what is held out is held out."""

import re

import pytest
from babel import Locale
from babel.numbers import parse_decimal

from kerasseq.applications.demos.phrases.corpus import make_corpora
from kerasseq.applications.demos.phrases.phrases import find_locale, write_phrases
from kerasseq.errors import UserError

SMALL = {"train": 4_000, "valid": 300, "test": 300}


def corpus(*locales, **options):
    """The pairs of each part."""
    return {part: list(pairs) for part, pairs in make_corpora(*locales, **options).items()}


@pytest.fixture(scope="module")
def parts():
    return corpus("en", "de")


def pairs(parts):
    return [pair for part in parts.values() for pair in part]


def test_sizes_and_determinism():
    parts = corpus("en", "de", seed=0, **SMALL)
    assert {name: len(part) for name, part in parts.items()} == SMALL
    assert corpus("en", "de", seed=0, **SMALL) == parts
    assert corpus("en", "de", seed=1, **SMALL)["test"] != parts["test"]


def test_a_source_has_one_target(parts):
    sources = [source for source, _ in pairs(parts)]
    assert len(set(sources)) == len(sources)


@pytest.mark.parametrize("side", [0, 1])
def test_no_text_is_in_two_parts(parts, side):
    train, valid, test = ({p[side] for p in parts[name]} for name in ("train", "valid", "test"))
    assert not test & train and not test & valid and not valid & train


def test_wording(parts):
    """Phrases as a reader of both languages would write them."""
    shapes = dict(parts["train"])
    known = {
        r"on Tuesday, March (\d+), (\d+) at (\d+):(\d+) AM": r"am Dienstag, \1. März \2 um 0?\3:\4",
        r"Sunday, November (\d+), (\d+)": r"Sonntag, \1. November \2",
        r"€(\d+),(\d+)\.(\d+)": r"\1.\2,\3 €",
        r"(\d+) minutes ago": r"vor \1 Minuten",
        r"(\d+) hours and (\d+) minutes": r"\1 Stunden und \2 Minuten",
        r"(\d+)\.(\d)%": r"\1,\2 %",
    }
    for source, target in known.items():
        matches = [m for m in (re.fullmatch(source, text) for text in shapes) if m]
        assert matches, source
        for match in matches[:20]:
            # 12 AM is hour 0, which no pattern says.
            if "AM" not in source or match[3] != "12":
                assert re.fullmatch(match.expand(target), shapes[match[0]]), match[0]
    assert shapes["France"] == "Frankreich"
    assert shapes["1 kilometer"] == "1 Kilometer"


def dates(text):
    """Day, month name and year of an English date in full or long."""
    return set(re.findall(r"([A-Z][a-z]+ \d+, \d{4})", text))


def large_numbers(text):
    """Numbers of three digits or with a fraction, as English writes them out."""
    found = re.findall(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+\.\d+(?!\d| [mb]illion)", text)
    values = {parse_decimal(number, locale="en").normalize() for number in found}
    return {value for value in values if value >= 100 or value % 1}


@pytest.mark.parametrize("values", [dates, large_numbers])
def test_values_of_the_test_part_are_not_trained_on(parts, values):
    trained, tested = (
        set().union(*(values(source) for source, _ in parts[name])) for name in ("train", "test")
    )
    assert len(tested) > 50
    assert not trained & tested


def test_words_of_the_test_part_are_in_the_training_part(parts):
    for side in (0, 1):
        trained, tested = (
            {word for pair in parts[name] for word in re.findall(r"[^\W\d_]+", pair[side])}
            for name in ("train", "test")
        )
        assert tested <= trained


def test_white_space_is_plain(parts):
    for text in (text for pair in pairs(parts) for text in pair):
        assert text == " ".join(text.split())
        assert not re.search("[\u00a0\u2009\u202f\u200e\u200f]", text)


@pytest.mark.parametrize(
    ("source", "target"), [("pt_BR", "en"), ("en", "ja"), ("ar", "fr"), ("zh-Hant", "de")]
)
def test_other_locales(source, target):
    parts = corpus(source, target, train=3_000, valid=50, test=50)
    assert len({source for source, _ in pairs(parts)}) == 3_100


def test_a_short_form_does_not_stand_for_two_things():
    """German has one word where English has "2 bits" in full and "2 bit" in short."""
    train = corpus("de", "en", **SMALL)["train"]
    assert {target for source, target in train if source == "2 Bit"} == {"2 bits"}
    unit = {target.split()[1] for source, target in train if re.fullmatch(r"\d\d+ Bit", source)}
    assert unit == {"bits"}


def test_one_locale_alone():
    spoken = write_phrases(["fr"], train=3_000, valid=10, test=10)
    assert all(len(phrase) == 1 for phrase in spoken["test"])


def test_no_century_is_lost():
    """A two-digit year cannot tell what a four-digit year needs, were there two centuries."""
    years = {
        (match[1], re.search(r"\d{4}", target)[0])
        for source, target in corpus("en", "fr", **SMALL)["train"]
        if (match := re.fullmatch(r"\d+/\d+/(\d\d)", source))
    }
    assert years and all(full.endswith(short) for short, full in years)
    assert len({short for short, _ in years}) == len(years)


@pytest.mark.parametrize(("code", "near"), [("german", "de"), ("pt_BX", "pt_BR"), ("", "en")])
def test_unknown_locale(code, near):
    with pytest.raises(UserError, match=f"no locale '{code}'.*{near}"):
        find_locale(code)


def test_known_spellings():
    assert find_locale("pt-BR") == Locale("pt", "BR")


def test_locales_that_cannot_be_used():
    with pytest.raises(UserError, match="both 'en'"):
        corpus("en", "en")
    with pytest.raises(UserError, match="too few words for 'en' and 'aa'"):
        corpus("en", "aa")


def test_a_training_part_too_small_for_its_words():
    with pytest.raises(UserError, match="training part needs at least"):
        corpus("en", "de", train=100, valid=0, test=0)
