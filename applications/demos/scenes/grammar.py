"""What is in a scene, and the one sentence that describes it."""

from collections.abc import Hashable
from itertools import combinations
from typing import NamedTuple

COUNTS = ("", "a", "two", "three")
SIZES = ("small", "", "big")
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
_HISSING = ("s", "x", "ch", "sh")


class Group(NamedTuple):
    """One to three things of one size: equal ones, or two different ones.

    Attributes:
        names: of each thing; of two different ones, the left or the upper first.
        size: of SIZES.
    """

    names: tuple[str, ...]
    size: str = ""

    def __str__(self) -> str:
        if len(set(self.names)) > 1:
            return " and ".join(_counted(1, name, self.size) for name in self.names)
        return _counted(len(self.names), self.names[0], self.size)


class Plan(NamedTuple):
    """One group, or two of which the first is `relation` the second."""

    first: Group
    relation: str | None = None
    second: Group | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def sentence(self) -> str:
        """The canonical sentence.

        What is said first is what there is less of, else the smaller, else the left or upper, as
        one says that a cup is beside a house and not that a house is beside a cup. So for each
        scene one sentence of the grammar is right, and no other.
        """
        if self.second is None:
            return str(self.first)
        plan = self if self._is_canonical() else self._turned()
        return f"{plan.first} {plan.relation} {plan.second}"

    def keys(self) -> list[Hashable]:
        """The combinations in it: each two different names, or how many of one name, how large.

        One thing of middling size is no combination.
        """
        names = sorted({name for group in self.groups for name in group.names})
        if len(names) > 1:
            return list(combinations(names, 2))
        alone = names[0], sum(len(group.names) for group in self.groups), self.first.size
        return [] if alone[1:] == (1, "") else [alone]

    def _turned(self) -> "Plan":
        return Plan(self.second, OPPOSITE[self.relation], self.first)

    def _is_canonical(self) -> bool:
        ranks = [(len(group.names), SIZES.index(group.size)) for group in self.groups]
        if ranks[0] == ranks[1]:
            return self.relation in ("left of", "above")
        return ranks[0] < ranks[1]


def plural(name: str) -> str:
    """Of a name whose plural is regular."""
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return name + ("es" if name.endswith(_HISSING) else "s")


def vocabulary(names: tuple[str, ...]) -> set[str]:
    """All words that sentences about these things may have."""
    texts = [*COUNTS, "an", "and", *SIZES, *OPPOSITE, *names, *map(plural, names)]
    return {word for text in texts for word in text.split()}


def _counted(count: int, name: str, size: str) -> str:
    words = f"{size} {name if count == 1 else plural(name)}".strip()
    article = "an" if count == 1 and words[0] in "aeiou" else COUNTS[count]
    return f"{article} {words}"
