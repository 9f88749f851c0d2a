"""Pictures are written, and their labels can be read."""

import math
import warnings

import numpy as np
import pytest
from matplotlib import image
from matplotlib.figure import Figure

from kerasseq.drawing import draw_alignment, draw_attention, draw_training_curves
from kerasseq.drawing import trials as trials_module
from kerasseq.drawing.attention import make_labels
from kerasseq.drawing.curves import SCORES
from kerasseq.drawing.fonts import Fonts
from kerasseq.errors import UserError

PNG = b"\x89PNG"


def test_labels():
    pieces = ["▁am", "▁Diens", "tag", ",", "▁", "3", ".", "▁März", "</s>"]
    assert make_labels(pieces) == ["am", "Diens", "·tag", ",", "␣", "·3", ".", "März", "</s>"]
    assert make_labels(["am", "Dienstag"]) == ["am", "Dienstag"]


@pytest.mark.parametrize(("read", "written"), [(1, 1), (3, 60), (60, 3)])
def test_a_map_of_any_size(tmp_path, read, written):
    path = tmp_path / "map.png"
    weights = np.full((written, read), 1 / read)
    draw_attention(["▁word"] * read, ["▁Wort"] * written, weights, path, title="$1_000$ at 5%")
    assert path.read_bytes().startswith(PNG)
    height, width, _ = image.imread(path).shape
    assert (width > height) == (read > written) or read == written


def test_a_large_weight_is_dark(tmp_path):
    path = tmp_path / "map.png"
    draw_attention(list("abc"), list("xyz"), np.eye(3), path)
    red = image.imread(path)[..., 0]
    dark = (red < 0.1).sum() / red.size
    assert 0.1 < dark < 0.4


def test_characters_without_a_font_are_named_once(tmp_path):
    with pytest.warns(UserWarning, match="no installed font has \U000e0fff") as warned:
        draw_attention(["\U000e0fff"] * 3, ["a"], np.ones((1, 3)) / 3, tmp_path / "map.png")
    assert len(warned) == 1


def test_no_warning_where_the_font_has_all(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_attention(["▁für", "▁мир"], ["a"], np.ones((1, 2)) / 2, tmp_path / "map.png")


def test_weights_that_do_not_fit(tmp_path):
    with pytest.raises(UserError, match=r"2 written and 3 read .* \(2, 3\).* not \(3, 2\)"):
        draw_attention(list("abc"), list("xy"), np.zeros((3, 2)), tmp_path / "map.png")
    with pytest.raises(UserError, match="0 written"):
        draw_attention(list("abc"), [], np.zeros((0, 3)), tmp_path / "map.png")


def test_an_ending_that_names_no_picture(tmp_path):
    with pytest.raises(UserError, match="map.word"):
        draw_attention(["a"], ["b"], np.ones((1, 1)), tmp_path / "map.word")


def test_a_recording_is_drawn_by_its_spectrogram(tmp_path):
    rate = 8000
    noise = np.random.default_rng(0).integers(-8000, 8000, rate)
    sound = np.concatenate([noise, np.zeros(rate, int)])
    draw_alignment(sound, rate, ["a"], np.zeros((1, 4)), tmp_path / "map.png")
    red = image.imread(tmp_path / "map.png")[..., 0]
    top = red[int(0.05 * len(red)) : int(0.25 * len(red))]  # the map below is pale blue
    left, right = np.array_split(top[:, 20:-20], 2, axis=1)
    assert left.mean() > right.mean() + 0.3


def test_a_recording_of_a_moment_is_drawn(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_alignment(np.zeros(9), 8000, ["a"], np.ones((1, 1)), tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(PNG)


def test_a_long_recording_is_drawn_in_strips(tmp_path):
    """Each unit has a row high enough for its label, in the strip of its time."""
    rate, units, steps = 8000, 120, 480
    weights = np.zeros((units, steps))
    weights[np.arange(units), np.arange(units) * steps // units] = 1
    draw_alignment(np.zeros(24 * rate), rate, ["▁no"] * units, weights, tmp_path / "map.png", "no")
    height, width, _ = image.imread(tmp_path / "map.png").shape
    assert height > units * 0.16 * 150 and width <= 14 * 150
    dark = image.imread(tmp_path / "map.png")[..., :3].sum(axis=2) < 0.9
    rows = np.flatnonzero(dark[:, 200:].mean(axis=1) > 0.2)  # the spectrograms of silence
    assert (np.diff(rows) > 100).sum() == 2  # maps between three of them


def test_missing_characters_are_spelled_as_codes():
    with pytest.warns(UserWarning, match="no installed font"):
        fonts = Fonts.find(["a\U000e0fff"])
    assert fonts.spell("a\U000e0fffb") == "a[E0FFF]b"
    assert fonts.spell("\U000e0fff" * 9) == "[E0FFF]" * 3 + "…"
    assert "[E0FFF]" in fonts.note


def test_a_title_is_wrapped_and_ends():
    fonts = Fonts(["DejaVu Sans"], frozenset())
    assert fonts.wrap("one two  three", 1.0, 11) == ["one two", "three"]
    assert len(fonts.wrap("word " * 999, 5.0, 11)) == 8
    assert len(fonts.wrap("字" * 40, 4.0, 11)) == 2 * len(fonts.wrap("a" * 40, 4.0, 11))
    assert fonts.wrap("", 4.0, 11) == []


class TestCurves:
    """What a training's rows show, in whatever number there are."""

    TRAIN = {"kind": "train", "step": 5, "loss": 2.0}
    VALID = {"kind": "valid", "step": 5, "loss": 1.5, "best": True, "accuracy": 0.5}

    @pytest.fixture
    def panels(self, tmp_path, monkeypatch):
        """A function from rows to the panels that are drawn: y label to legend."""

        def draw(rows, objective=()):
            figures = []
            real = Figure.savefig

            def savefig(figure, *args, **kwargs):
                figures.append(figure)
                real(figure, *args, **kwargs)

            monkeypatch.setattr(Figure, "savefig", savefig)
            draw_training_curves(rows, tmp_path / "curves.png", objective)
            assert (tmp_path / "curves.png").stat().st_size > 1000
            return [
                (axes.get_ylabel(), [line.get_label() for line in axes.lines])
                for axes in figures[0].axes
            ]

        return draw

    @pytest.mark.parametrize("key, name", SCORES.items())
    def test_each_score_has_its_panel(self, panels, key, name):
        rows = [self.TRAIN, self.VALID | {key: 40.0}, self.VALID | {key: 30.0, "best": False}]
        loss, score = panels(rows)
        assert loss == ("loss (nats a token)", ["training", "validation", "chosen: 1.5"])
        assert score == (name, ["validation", "chosen: 40"])

    def test_losses_that_are_not_comparable_have_no_axis_in_common(self, panels):
        first, second = panels([self.TRAIN, self.VALID], ["label smoothing 0.1"])
        assert first[1] == ["training"] and second[1] == ["validation", "chosen: 1.5"]

    @pytest.mark.parametrize("rows", [[], [TRAIN], [VALID], [VALID | {"loss": math.nan}]])
    def test_a_run_of_few_steps_draws_what_it_has(self, panels, rows):
        lines = [label for _, labels in panels(rows, ["R-Drop 1"]) for label in labels]
        assert ("training" in lines) == (self.TRAIN in rows)
        assert ("validation" in lines) == (self.VALID in rows)


def test_what_mattered_in_a_search_is_drawn_and_what_did_not_is_0(tmp_path):
    rng = np.random.default_rng(1)
    trials = [
        trials_module.Trial(
            {"rate": 10.0 ** -rng.integers(1, 5), "kind": "ab"[i % 2], "masks": [1, 2][: i % 3]},
            float(i % 2),
            complete=i % 5 > 0,
        )
        for i in range(40)
    ]
    assert trials_module.measure_importance(trials, "kind") == 1.0
    assert trials_module.measure_importance(trials, "rate") < 0.2
    assert trials_module.measure_importance(trials[:4], "kind") == 0.0
    assert trials_module.measure_importance(trials, "other") == 0.0
    trials_module.draw_trials(trials, tmp_path / "trials.png", "WER", best=0)
    trials_module.draw_trials(trials[:1], tmp_path / "one.png", "WER")
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("trials.png", "one.png"))
