"""What of the texts of a corpus a vocabulary cannot write."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Self

NAMED = 8


class UnknownUnits:
    """Counts the texts that have characters (or words) outside a vocabulary.

    Such texts stay in the data; each unit outside the vocabulary is encoded as unknown, and the
    model never writes it.

    Args:
        what: the texts are called: "transcripts".

    Attributes:
        texts: how many were looked at, and
        affected: how many of them have such units.
        units: in how many texts each unit is.
    """

    def __init__(self, what: str):
        self.what, self.texts, self.affected = what, 0, 0
        self.units: Counter[str] = Counter()

    def add(self, found: Iterable[str]) -> None:
        """Count one text, with the units that it has outside the vocabulary."""
        self.texts += 1
        units = set(found)
        self.units.update(units)
        self.affected += bool(units)

    def to_dict(self) -> dict:
        """What JSON can hold."""
        units = sorted(self.units.items(), key=lambda item: (-item[1], item[0]))
        return {**vars(self), "units": dict(units)}

    @classmethod
    def from_dict(cls, state: dict) -> Self:
        """What `to_dict` gave."""
        unknown = cls(state["what"])
        unknown.texts, unknown.affected = state["texts"], state["affected"]
        unknown.units = Counter(state["units"])
        return unknown

    def __len__(self) -> int:
        return self.affected

    def __str__(self) -> str:
        most = sorted(self.units.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(
            f"{unit!a} in {count:,}" if _is_hidden(unit) else f"{unit!r} in {count:,}"
            for unit, count in most[:NAMED]
        )
        rest = f" and {len(most) - NAMED:,} more" if len(most) > NAMED else ""
        share = 100 * self.affected / max(self.texts, 1)
        return (
            f"{self.affected:,} of {self.texts:,} {self.what} ({share:.1f} %) have units outside "
            f"the vocabulary: {named}{rest}"
        )


def _is_hidden(unit: str) -> bool:
    """Whether a unit shows nothing by itself: a combining mark, a joiner."""
    return not unit.isprintable() or all(unicodedata.category(c)[0] in "MC" for c in unit)
