"""The captioners that come with the library."""

import keras
import numpy as np
import pytest

from kerasseq.applications import presets
from tests import preset_files, squares

PRESETS = preset_files.of_head("captioning")


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_what_the_readme_says(name):
    preset_files.checked(name, "captioning", "{CIDEr-D:.1f}")


def pictures(size: tuple[int, int]) -> list[np.ndarray]:
    """Squares on grey, and waves of colour."""
    rng = np.random.default_rng(0)
    some = [squares.picture(colour, "left", rng) for colour in squares.COLOURS]
    scaled = [np.kron(one, np.ones((4, 4, 1), "uint8")) for one in some]
    rows, columns = np.mgrid[: size[0], : size[1]] / size[0]
    waves = [np.sin(k * rows * columns + k) for k in (9, 15, 22)]
    return [*scaled, (127 * (1 + np.stack(waves, -1))).astype("uint8")]


def written() -> dict[str, list[str]]:
    """As Keras itself loads them, once kerasseq is imported."""
    paths = presets.presets()
    models = {name: keras.saving.load_model(paths[name]) for name in PRESETS}
    return {name: m.generate(pictures(m.preprocessor.size)) for name, m in models.items()}


def test_presets_see_the_same_on_other_backends():
    seen = written()
    assert all(len(set(texts)) > 1 for texts in seen.values())
    for other in preset_files.OTHERS:
        assert preset_files.elsewhere(__name__, other) == seen, other
