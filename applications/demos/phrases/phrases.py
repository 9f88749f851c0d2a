"""Dates, times, amounts, measures and lists, as people word them in several hundred locales.

Nothing is downloaded: the words are those of the Unicode CLDR, in the package `babel`.
"""

from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b
from random import Random

from babel import Locale

from kerasseq.applications.demos.phrases.amounts import make_amount_kinds
from kerasseq.applications.demos.phrases.dates import make_date_kinds
from kerasseq.applications.demos.phrases.kind import Kind
from kerasseq.applications.demos.phrases.locales import clean, find_locale
from kerasseq.applications.demos.phrases.names import make_name_kinds
from kerasseq.errors import UserError

Phrase = tuple[str, ...]

# Of 20 values one is for the test part, one for the validation part.
PARTS = ("test", "valid") + ("train",) * 18

# Percent of the phrases that a pair of locales has to word: more than dates and plain numbers.
LEAST = 60

# How many values show whether two kinds of phrase can be told apart.
PROBES = 100


def write_phrases(
    locales: Sequence[str],
    seed: int = 0,
    train: int = 40_000,
    valid: int = 1_000,
    test: int = 1_000,
    keep: Callable[[str], bool] = lambda kind: True,
) -> dict[str, list[Phrase]]:
    """Writes phrases, each worded in every locale, in the parts "train", "valid" and "test".

    A phrase is a tuple with one text for each locale. The first text is unique, and tells all that
    the others do: a kind of phrase whose first text could mean two things is left out.

    What is held out are values. A date, a time of day, a duration, a set of names, a number of
    three digits or with a fraction, and a smaller whole number with its unit, each belongs to one
    part, by a hash of the seed and the value alone. Every value in a phrase belongs to the
    phrase's part: what is said in the test part is said in no training phrase, in no format and
    no company. A date without its year (or its day) is a value of its own. The words that values
    are made of are all in the training part: every name, unit and currency stands there alone or
    beside the numbers 1 to 3, which are never held out.

    White space is normalised to single spaces. Equal arguments give equal phrases, with the same
    release of babel.

    Args:
        keep: which kinds of phrase to write, by their names.

    Raises:
        UserError: there is no such locale, it has too few words, or a part is larger than the
            number of phrases there are.
    """
    found = tuple(find_locale(code) for code in locales)
    kinds = [kind for kind in find_kinds(found) if keep(kind.name)]
    writer = _Writer(found, kinds, seed)
    # The training part comes last, so that it leaves out what the others happen to say as well.
    sizes = {"test": test, "valid": valid, "train": train}
    return {part: writer.write(part, size) for part, size in sizes.items()}


def find_kinds(locales: tuple[Locale, ...]) -> list[Kind]:
    """Finds the kinds that all locales have words for and whose first text has one meaning.

    Raises:
        UserError: that is too little of what there is.
    """
    said: dict[str, Phrase] = {}
    usable = []
    for kind in [*make_date_kinds(locales), *make_amount_kinds(locales), *make_name_kinds(locales)]:
        rng = Random(0)  # so that kinds that say the same values are compared on the same
        try:
            worded = [word(kind, locales, kind.draw(rng, lambda key: True)) for _ in range(PROBES)]
        except (LookupError, ValueError):
            continue
        if all(said.setdefault(phrase[0], phrase) == phrase for phrase in worded):
            usable.append(kind)
    if sum(kind.share for kind in usable) < LEAST:
        names = " and ".join(repr(str(locale)) for locale in locales)
        have = ", ".join(kind.name for kind in usable) or "nothing"
        raise UserError(
            f"babel has too few words for {names} together (it has {have}); choose other locales"
        )
    return usable


def word(kind: Kind, locales: tuple[Locale, ...], value) -> Phrase:
    return tuple(clean(kind.word(locale, value)) for locale in locales)


class _Writer:
    """Writes the parts one after the other, and keeps what they say apart."""

    def __init__(self, locales: tuple[Locale, ...], kinds: list[Kind], seed: int):
        self.locales, self.kinds, self.seed = locales, kinds, seed
        self.said: set[str] = set()
        self.part_of: dict[tuple[int, str], str] = {}

    def find_owner(self, key: Hashable | None) -> str:
        if key is None:
            return "train"
        digest = blake2b(f"{self.seed} {key}".encode(), digest_size=4).digest()
        return PARTS[int.from_bytes(digest) % len(PARTS)]

    def write(self, part: str, size: int) -> list[Phrase]:
        rng = Random(f"{self.seed} {part}")
        written: list[Phrase] = []

        def owns(key: Hashable | None) -> bool:
            return self.find_owner(key) == part

        if part == "train":
            for kind in self.kinds:
                for value in kind.atoms:
                    self.add(written, part, word(kind, self.locales, value))
            if size < len(written):
                raise UserError(f"the training part needs at least {len(written)} phrases")
        shares = [kind.share for kind in self.kinds]
        repeated = 0
        while len(written) < size:
            (kind,) = rng.choices(self.kinds, shares)
            phrase = word(kind, self.locales, kind.draw(rng, owns))
            repeated = 0 if self.add(written, part, phrase) else repeated + 1
            if repeated == 1000:
                raise UserError(f"the {part} part can have about {len(written):,} phrases, no more")
        rng.shuffle(written)
        return written

    def add(self, written: list[Phrase], part: str, phrase: Phrase) -> bool:
        """Adds a phrase, unless its first text was said before or any in another part."""
        texts = list(enumerate(phrase))
        if phrase[0] in self.said or any(self.part_of.get(t, part) != part for t in texts):
            return False
        self.said.add(phrase[0])
        self.part_of.update(dict.fromkeys(texts, part))
        written.append(phrase)
        return True
