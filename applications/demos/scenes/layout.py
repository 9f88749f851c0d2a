"""Where the things of a scene are, so that its sentence is plainly true."""

from random import Random
from typing import NamedTuple

from kerasseq.applications.demos.scenes.drawings import draw_thing
from kerasseq.applications.demos.scenes.grammar import Group, Plan

SIDE = 96  # pixels
LENGTHS = {"small": (17, 20), "": (29, 33), "big": (45, 50)}  # pixels on the longer side

_MARGIN = 2  # pixels, at the border
_GAP = 4  # between two things
_APART = 6  # between two groups
_FREE = SIDE - 2 * _MARGIN
_ASIDE = 0.4  # how far the centres may be moved across their relation, for one pixel along it
_TRIES = 1000


class Thing(NamedTuple):
    """A drawing and where it is.

    Attributes:
        name: what it is.
        length: pixels on its longer side.
        box: left, top, right, bottom, in pixels; right and bottom are outside.
    """

    name: str
    length: int
    box: tuple[int, int, int, int]

    def move(self, x: int, y: int) -> "Thing":
        left, top, right, bottom = self.box
        return self._replace(box=(left + x, top + y, right + x, bottom + y))


def place_things(rng: Random, plan: Plan) -> list[Thing] | None:
    """Places the things of a plan, in its order; returns None if no try succeeds."""
    place = _scatter if plan.second is None else _relate
    for _ in range(_TRIES):
        if (things := place(rng, plan)) is not None:
            return things
    return None


def find_bounds(things: list[Thing]) -> tuple[int, int, int, int]:
    """Returns the box around all things."""
    lefts, tops, rights, bottoms = zip(*(thing.box for thing in things), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def measure_distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Returns the pixels between two boxes on their farther axis; negative if they overlap."""
    return max(max(one[axis] - other[axis + 2], other[axis] - one[axis + 2]) for axis in (0, 1))


def relates(relation: str, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Returns whether the first box is clearly left of, right of, above or below the second."""
    if relation in ("right of", "below"):
        one, other = other, one
    axis = int(relation in ("above", "below"))
    if other[axis] - one[axis + 2] < _APART:
        return False
    along, aside = (abs(one[a] + one[a + 2] - other[a] - other[a + 2]) for a in (axis, 1 - axis))
    return aside <= _ASIDE * along


def _make_things(rng: Random, group: Group) -> list[Thing]:
    """Makes the things of a group, all of one length and at the upper left."""
    length = rng.randint(*LENGTHS[group.size])
    return [Thing(name, length, (0, 0, *draw_thing(name, length).size)) for name in group.names]


def _scatter(rng: Random, plan: Plan) -> list[Thing] | None:
    """Places the things of one group anywhere."""
    things: list[Thing] = []
    for thing in _make_things(rng, plan.first):
        spaces = [_FREE - length for length in thing.box[2:]]
        thing = thing.move(*(_MARGIN + rng.randint(0, space) for space in spaces))
        if any(measure_distance(thing.box, other.box) < _GAP for other in things):
            return None
        things.append(thing)
    return things


def _relate(rng: Random, plan: Plan) -> list[Thing] | None:
    """Places two groups, each lined up at a right angle to their relation."""
    axis = int(plan.relation in ("above", "below"))
    rows = [_line_up(rng, group, 1 - axis) for group in plan.groups]
    if turned := plan.relation in ("right of", "below"):
        rows.reverse()
    sizes = [find_bounds(row)[2:] for row in rows]
    space = _FREE - _APART - sum(size[axis] for size in sizes)
    if space < 0:
        return None
    first, second = sorted(rng.randint(0, space) for _ in rows)
    along = first, second + sizes[0][axis] + _APART
    aside = [rng.randint(0, _FREE - size[1 - axis]) for size in sizes]
    for i, row in enumerate(rows):
        step = [_MARGIN + along[i], _MARGIN + aside[i]][:: -1 if axis else 1]
        rows[i] = [thing.move(*step) for thing in row]
    if turned:
        rows.reverse()
    fits = relates(plan.relation, *map(find_bounds, rows))
    return [thing for row in rows for thing in row] if fits else None


def _line_up(rng: Random, group: Group, axis: int) -> list[Thing]:
    """Lines up the things of a group along an axis, their centres nearly in line."""
    things = _make_things(rng, group)
    widest = max(thing.box[3 - axis] for thing in things)
    row, place = [], 0
    for thing in things:
        spare = widest - thing.box[3 - axis]
        aside = min(max(spare // 2 + rng.randint(-2, 2), 0), spare)
        row.append(thing.move(*((aside, place) if axis else (place, aside))))
        place += thing.box[2 + axis] + rng.randint(_GAP, _GAP + 3)
    return row
