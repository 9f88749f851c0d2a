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
            return " and ".join(_count_things(1, name, self.size) for name in self.names)
        return _count_things(len(self.names), self.names[0], self.size)


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

        The group of fewer things comes first, else the smaller one, else the left or upper one, as
        one says that a cup is beside a house and not that a house is beside a cup. So for each
        scene one sentence of the grammar is right, and no other.
        """
        if self.second is None:
            return str(self.first)
        plan = self if self._is_canonical() else self._turned()
        return f"{plan.first} {plan.relation} {plan.second}"

    def keys(self) -> list[Hashable]:
        """Returns the combinations: each two different names, or one name, its count and its size.

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


def pluralize(name: str) -> str:
    """Returns the plural of a name, which is regular."""
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return name + ("es" if name.endswith(_HISSING) else "s")


def list_words(names: tuple[str, ...]) -> set[str]:
    """Returns all words that sentences about some things may have."""
    texts = [*COUNTS, "an", "and", *SIZES, *OPPOSITE, *names, *map(pluralize, names)]
    return {word for text in texts for word in text.split()}


def _count_things(count: int, name: str, size: str) -> str:
    words = f"{size} {name if count == 1 else pluralize(name)}".strip()
    article = "an" if count == 1 and words[0] in "aeiou" else COUNTS[count]
    return f"{article} {words}"
