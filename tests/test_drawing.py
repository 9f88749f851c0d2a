"""Pictures are written, and their labels can be read."""

import warnings

import numpy as np
import pytest
from matplotlib import image

from kerasseq.drawing.alignment import alignment_picture
from kerasseq.drawing.attention import attention_map, readable
from kerasseq.errors import UserError

PNG = b"\x89PNG"


def test_labels():
    pieces = ["▁am", "▁Diens", "tag", ",", "▁", "3", ".", "▁März", "</s>"]
    assert readable(pieces) == ["am", "Diens", "·tag", ",", "␣", "·3", ".", "März", "</s>"]
    assert readable(["am", "Dienstag"]) == ["am", "Dienstag"]


@pytest.mark.parametrize(("read", "written"), [(1, 1), (3, 60), (60, 3)])
def test_a_map_of_any_size(tmp_path, read, written):
    path = tmp_path / "map.png"
    weights = np.full((written, read), 1 / read)
    attention_map(["▁word"] * read, ["▁Wort"] * written, weights, path, title="$1_000$ at 5%")
    assert path.read_bytes().startswith(PNG)
    height, width, _ = image.imread(path).shape
    assert (width > height) == (read > written) or read == written


def test_a_large_weight_is_dark(tmp_path):
    path = tmp_path / "map.png"
    attention_map(list("abc"), list("xyz"), np.eye(3), path)
    red = image.imread(path)[..., 0]
    dark = (red < 0.1).sum() / red.size
    assert 0.1 < dark < 0.4


def test_characters_without_a_font_are_named_once(tmp_path):
    with pytest.warns(UserWarning, match="no installed font has \U000e0fff") as warned:
        attention_map(["\U000e0fff"] * 3, ["a"], np.ones((1, 3)) / 3, tmp_path / "map.png")
    assert len(warned) == 1


def test_no_warning_where_the_font_has_all(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attention_map(["▁für", "▁мир"], ["a"], np.ones((1, 2)) / 2, tmp_path / "map.png")


def test_weights_that_do_not_fit(tmp_path):
    with pytest.raises(UserError, match=r"2 written and 3 read .* \(2, 3\).* not \(3, 2\)"):
        attention_map(list("abc"), list("xy"), np.zeros((3, 2)), tmp_path / "map.png")
    with pytest.raises(UserError, match="0 written"):
        attention_map(list("abc"), [], np.zeros((0, 3)), tmp_path / "map.png")


def test_an_ending_that_names_no_picture(tmp_path):
    with pytest.raises(UserError, match="map.word"):
        attention_map(["a"], ["b"], np.ones((1, 1)), tmp_path / "map.word")


def test_a_recording_is_drawn_by_its_spectrogram(tmp_path):
    rate = 8000
    noise = np.random.default_rng(0).integers(-8000, 8000, rate)
    sound = np.concatenate([noise, np.zeros(rate, int)])
    alignment_picture(sound, rate, ["a"], np.zeros((1, 4)), tmp_path / "map.png")
    red = image.imread(tmp_path / "map.png")[..., 0]
    top = red[int(0.05 * len(red)) : int(0.25 * len(red))]  # the map below is pale blue
    left, right = np.array_split(top[:, 20:-20], 2, axis=1)
    assert left.mean() > right.mean() + 0.3


def test_a_recording_of_a_moment_is_drawn(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alignment_picture(np.zeros(9), 8000, ["a"], np.ones((1, 1)), tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(PNG)
