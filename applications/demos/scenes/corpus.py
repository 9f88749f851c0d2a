"""The demonstration of captioning: scenes as pictures with a caption each."""

import contextlib
import functools
from collections.abc import Callable, Hashable, Iterator, Sequence
from hashlib import blake2b
from random import Random
from typing import NamedTuple

import numpy as np

from kerasseq.applications.demos.scenes.drawings import (
    NAMES,
    check_packages,
    digest_drawings,
    draw_thing,
)
from kerasseq.applications.demos.scenes.grammar import OPPOSITE, Group, Plan
from kerasseq.applications.demos.scenes.layout import SIDE, Thing, place_things
from kerasseq.data.corpus import digest
from kerasseq.data.pictures.captioned import Captioned, CaptionedCorpus
from kerasseq.media.picture import resize_clip

NAME = "scenes of OpenMoji drawings"
LICENCE = "CC BY-SA 4.0 drawings"

FORMAT = 1  # of the pictures: another makes stores anew

# Of 20 combinations three are for the test part, two for the validation part.
PARTS = ("test",) * 3 + ("valid",) * 2 + ("train",) * 15

# Percent of the scenes, by their groups: how many things, and whether they are equal. Things that
# are equal are nearly as frequent as different ones: else one learns to say what is more frequent.
SHARES = {
    ("one",): 8,
    ("two equal",): 16,
    ("three equal",): 12,
    ("one", "one"): 24,
    ("one", "two equal"): 18,
    ("one", "two different"): 22,
}


class Scene(NamedTuple):
    """A picture that is still to be drawn.

    Attributes:
        plan: what is in it.
        things: where, from back to front.
        tint: red, green and blue of the background.
    """

    plan: Plan
    things: tuple[Thing, ...]
    tint: tuple[int, int, int]

    def draw(self) -> np.ndarray:
        """(96, 96, 3) uint8 in RGB."""
        from PIL import Image

        image = Image.new("RGB", (SIDE, SIDE), self.tint)
        for thing in self.things:
            pixels = draw_thing(thing.name, thing.length)
            image.paste(pixels, thing.box[:2], pixels)
        return np.asarray(image)


class SceneCorpus(CaptionedCorpus):
    """Scenes as pictures with a caption each, drawn when they are read.

    Args:
        scenes: what to draw.
        name: of the corpus.
    """

    def __init__(self, scenes: Sequence[Scene], name: str = "scenes"):
        super().__init__()
        self.scenes, self.name = list(scenes), name

    def __iter__(self) -> Iterator[Captioned]:
        for line, scene in enumerate(self.scenes, 1):
            yield Captioned(f"{self.name} {line}", (scene.plan.sentence,), self.name, line)

    def fingerprint(self) -> str:
        return digest([str(FORMAT), digest_drawings(), *map(repr, self.scenes)])

    @contextlib.contextmanager
    def reader(
        self, size: tuple[int, int], frames: int
    ) -> Iterator[Callable[[Captioned], np.ndarray]]:
        def read(captioned: Captioned) -> np.ndarray:
            return resize_clip(self.scenes[captioned.line - 1].draw()[None], size, frames)

        yield read


def make_corpora(
    seed: int = 0, train: int = 8_000, valid: int = 300, test: int = 500
) -> dict[str, SceneCorpus]:
    """Returns scenes in the parts "train", "valid" and "test".

    "a small cat left of a big palm tree", "a bell above two stars" and "three penguins" are some;
    see `Plan.sentence` for which is named first. The sentence is the one reference: no other
    sentence of the grammar is as good, so a model that learned the grammar cannot be right and
    yet be marked wrong.

    What is held out are combinations: each two different names, and how many things of one name
    in which size when nothing else is there, belong to one part, by a hash of the seed and the
    combination alone. So no two things that are together in a test scene ever are in a training
    scene, wherever they are. Each thing alone, of middling size, is in the training part only.
    Equal arguments give equal scenes, with the same releases of the packages.

    Raises:
        UserError: one of the packages that draw is missing.
    """
    check_packages()
    sizes = {"train": train, "valid": valid, "test": test}
    return {
        part: SceneCorpus(_draw_scenes(part, n, seed), f"{part} scene") for part, n in sizes.items()
    }


def find_part(plan: Plan, seed: int = 0) -> str | None:
    """Returns the part that owns all combinations of a plan; None if several parts do."""
    owners = {_find_owner(key, seed) for key in plan.keys()} or {"train"}
    return owners.pop() if len(owners) == 1 else None


@functools.cache
def _find_owner(key: Hashable, seed: int) -> str:
    hashed = blake2b(f"{seed} {key}".encode(), digest_size=4).digest()
    return PARTS[int.from_bytes(hashed) % len(PARTS)]


def _draw_scenes(part: str, count: int, seed: int) -> list[Scene]:
    rng = Random(f"{seed} {part}")
    scenes: list[Scene] = []
    while len(scenes) < count:
        (kind,) = rng.choices(list(SHARES), list(SHARES.values()))
        if kind == ("one",) and part == "train" and len(scenes) < len(NAMES):
            plan = Plan(Group((NAMES[len(scenes)],)))  # each thing at least once
        else:
            plan = _draw_plan(rng, kind, part, seed)
        if things := place_things(rng, plan):
            tint = tuple(rng.randint(228, 255) for _ in range(3))
            scenes.append(Scene(plan, tuple(things), tint))
    rng.shuffle(scenes)
    return scenes


def _draw_plan(rng: Random, kind: tuple[str, ...], part: str, seed: int) -> Plan:
    """Draws a plan of a kind that the part owns."""
    while True:
        names = rng.sample(NAMES, 3)
        groups = [_draw_group(rng, which, names) for which in kind]
        relation = rng.choice(list(OPPOSITE)) if len(groups) == 2 else None
        plan = Plan(groups[0], relation, *groups[1:])
        if find_part(plan, seed) == part and [g.size for g in groups] != ["big", "big"]:
            return plan


def _draw_group(rng: Random, which: str, names: list[str]) -> Group:
    """Draws a group, whose names leave the list. Two big things have no space beside a third."""
    if which == "one":
        return Group((names.pop(),), rng.choice(("small", "", "", "big")))
    if which == "two different":
        return Group((names.pop(), names.pop()))
    count = {"two equal": 2, "three equal": 3}[which]
    return Group((names.pop(),) * count, rng.choice(("small", "", "")))
