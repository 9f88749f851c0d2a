"""What a kind of phrase is."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from random import Random
from typing import Any

from babel import Locale

# Says whether a value may be used in the part of the corpus that is being written.
# The key None stands for what any part but the training part has to leave alone.
Owns = Callable[[Hashable | None], bool]


@dataclass(frozen=True)
class Kind:
    """One way to say values of one type, for instance dates in full.

    `share`: percent of the phrases. `draw`: a value at random, of those that the part owns.
    `word`: the value in the words of a locale; LookupError or ValueError where it has none.
    `atoms`: values that the training part always says, since nothing else would teach them.
    """

    name: str
    share: float
    draw: Callable[[Random, Owns], Any]
    word: Callable[[Locale, Any], str]
    atoms: tuple[Any, ...] = ()


def draw_owned(owns: Owns, draw: Callable[[], Any], key: Callable[[Any], Hashable | None]) -> Any:
    """Draws values until the part owns one, and returns it."""
    while True:
        value = draw()
        if owns(key(value)):
            return value
