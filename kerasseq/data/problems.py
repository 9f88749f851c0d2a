"""The entries of a corpus that are left out: how many of each kind, and the first few by name."""

from collections import Counter

from kerasseq.errors import UserError
from kerasseq.printable import escape

MAX_NAMED = 5


class Problems:
    """Counts the entries that are left out, by what is wrong with them.

    Attributes:
        counts: maps each kind of problem to its number of entries.
        named: the first few entries, as "file:line: what is wrong".
    """

    def __init__(self):
        self.counts: Counter[str] = Counter()
        self.named: list[str] = []

    def add(self, place: str, line: int, kind: str, detail: str = "") -> None:
        """Counts one entry.

        Args:
            place: the file that has the entry.
            line: the line of the entry, from 1.
            kind: what is wrong with it.
            detail: is added in brackets where the entry is named.
        """
        self.counts[kind] += 1
        if len(self.named) < MAX_NAMED:
            self.named.append(escape(f"{place}:{line}: {kind}{detail and f' ({detail})'}"))

    def merge(self, other: "Problems") -> None:
        """Adds the entries of another object; the first few names of both together stay."""
        self.counts.update(other.counts)
        self.named = (self.named + other.named)[:MAX_NAMED]

    def to_error(self, example: str, purpose: str = "train on") -> UserError:
        """Returns the error that no entry is left.

        Args:
            example: the name of one entry: "pair", "recording".
            purpose: what the entries are needed for.
        """
        return UserError(
            "\n  ".join([f"No {example} is left to {purpose}.", *str(self).split("\n")])
        )

    def to_dict(self) -> dict:
        """Returns the counts and the names as values that JSON can hold."""
        return {"counts": dict(self.counts), "named": self.named}

    @classmethod
    def from_dict(cls, state: dict) -> "Problems":
        """Restores what `to_dict` returned."""
        problems = cls()
        problems.counts, problems.named = Counter(state["counts"]), list(state["named"])
        return problems

    def __len__(self) -> int:
        return self.counts.total()

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} × {kind}" for kind, count in self.counts.most_common())
        rest = len(self) - len(self.named)
        lines = [f"{len(self):,} left out: {kinds}", *self.named]
        return "\n  ".join(lines + [f"and {rest:,} more"] * bool(rest))
