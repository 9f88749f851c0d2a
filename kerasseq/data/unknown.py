"""The units of a corpus that are not in the vocabulary."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Self

MAX_NAMED = 8


class UnknownUnits:
    """Counts the texts that have units (characters or words) outside a vocabulary.

    Such texts stay in the data. Each unit outside the vocabulary is encoded as unknown, and the
    model never writes it.

    Args:
        what: the name of the texts: "transcripts".

    Attributes:
        texts: the number of all texts.
        affected: the number of texts that have such units.
        units: maps each such unit to its number of texts.
    """

    def __init__(self, what: str):
        self.what, self.texts, self.affected = what, 0, 0
        self.units: Counter[str] = Counter()

    def add(self, units: Iterable[str]) -> None:
        """Counts one text, with its units outside the vocabulary."""
        self.texts += 1
        units = set(units)
        self.units.update(units)
        self.affected += bool(units)

    def to_dict(self) -> dict:
        """Returns the counts as values that JSON can hold."""
        units = sorted(self.units.items(), key=lambda item: (-item[1], item[0]))
        return {**vars(self), "units": dict(units)}

    @classmethod
    def from_dict(cls, state: dict) -> Self:
        """Restores what `to_dict` returned."""
        unknown = cls(state["what"])
        unknown.texts, unknown.affected = state["texts"], state["affected"]
        unknown.units = Counter(state["units"])
        return unknown

    def __len__(self) -> int:
        return self.affected

    def __str__(self) -> str:
        ranked = sorted(self.units.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(
            f"{unit!a} in {count:,}" if _is_hidden(unit) else f"{unit!r} in {count:,}"
            for unit, count in ranked[:MAX_NAMED]
        )
        rest = f" and {len(ranked) - MAX_NAMED:,} more" if len(ranked) > MAX_NAMED else ""
        share = 100 * self.affected / max(self.texts, 1)
        return (
            f"{self.affected:,} of {self.texts:,} {self.what} ({share:.1f} %) have units outside "
            f"the vocabulary: {named}{rest}"
        )


def _is_hidden(unit: str) -> bool:
    """Whether a unit is invisible by itself: a combining mark, a joiner."""
    return not unit.isprintable() or all(unicodedata.category(c)[0] in "MC" for c in unit)
