"""Which validation has the best weights, on small data too."""

import importlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasseq.data import ListCorpus, holdout
from kerasseq.data.splitting import part_size
from kerasseq.errors import UserError
from kerasseq.training.model_selection import METRICS, ModelSelection


def chosen(rows, by, examples):
    """The index of the validation that is chosen of all."""
    selection, best, top, index = ModelSelection(by, examples), {}, None, None
    for i, row in enumerate(rows):
        top = selection.update_best(row, top)
        if selection.is_better(row, best, top):
            best, index = row, i
    return index


def rows_of(by, figures, losses):
    return [{"loss": loss, by: value} for value, loss in zip(figures, losses, strict=True)]


@pytest.mark.parametrize(
    "by, figures, losses, examples, wanted",
    [
        ("wer", [100, 100, 0, 0, 0], [9, 3, 0.9, 0.5, 0.7], 2, 4),  # equal figures: the last
        ("wer", [100, 100, 90], [9, 3, 4], 2, 1),  # equally useless: the least loss
        ("wer", [98, 119, 106], [5, 3, 2], 12, 2),  # the nearly empty text of the beginning
        ("wer", [100, 30, 38], [5, 2, 1], 12, 2),  # a lead of one example in twelve is chance
        ("wer", [100, 30, 40], [5, 2, 1], 12, 1),
        ("wer", [100, 30, 38], [5, 2, 1], 100, 1),
        ("wer", [20, 15, 10, 12], [1, 2, 3, 4], 100, 2),  # the loss grows, the errors do not
        ("bleu", [1.9, 0.0, 0.3], [5, 4, 3], 1000, 2),
        ("bleu", [0.3, 20, 31, 30], [5, 2, 2.1, 1.9], 1000, 2),
        ("bleu", [31, 31.05], [2, 1.9], 1000, 1),
        ("cider", [4, 1, 0], [5, 4, 3], 1000, 2),
        ("cider", [4, 60, 59], [5, 4, 3], 1000, 1),
    ],
)
def test_what_is_chosen(by, figures, losses, examples, wanted):
    assert chosen(rows_of(by, figures, losses), by, examples) == wanted


def test_by_the_loss_the_least_one_is_chosen():
    assert chosen([{"loss": loss} for loss in (5, 3, 4, math.nan)], "loss", 1000) == 1
    assert chosen([{"loss": loss} for loss in (math.nan, 3)], "loss", 1000) == 1
    assert chosen([{}, {}, {}], "loss", 1000) == 2  # without validation data the last weights stay


def test_a_figure_that_drifts_is_held_to_the_best_of_all():
    """Each is within a tie of the one before, and the last is far from the first."""
    wer = [10 + 0.9 * i for i in range(10)]
    rows = rows_of("wer", wer, range(10, 0, -1))
    assert rows[chosen(rows, "wer", 100)]["wer"] <= 11


@given(
    by=st.sampled_from(sorted(METRICS)),
    figures=st.lists(
        st.tuples(st.floats(0, 150), st.floats(0.1, 9)) | st.just((math.nan, math.nan)), min_size=1
    ),
    examples=st.integers(1, 3000),
)
def test_the_chosen_one_is_near_the_best_figure_and_never_not_a_number(by, figures, examples):
    rows = rows_of(by, *zip(*figures, strict=True))
    row = rows[chosen(rows, by, examples)]
    measured = [r for r in rows if not math.isnan(r["loss"])]
    if not measured:
        return
    assert math.isfinite(row["loss"])
    higher, useless = METRICS[by]
    useful = [max(r[by], useless) if higher else min(r[by], useless) for r in measured]
    mine = max(row[by], useless) if higher else min(row[by], useless)
    assert abs(mine - (max(useful) if higher else min(useful))) <= 100 / examples + 1e-6


def test_a_figure_that_is_not_measured_is_refused():
    with pytest.raises(UserError, match="best_by is wer, but .* measures loss, bleu: choose one"):
        chosen([{"loss": 1.0, "bleu": 3.0}], "wer", 10)


@pytest.mark.parametrize(
    "size, total, wanted",
    [
        (0.05, 40, 4),
        (0.05, 150, 15),
        (0.05, 240, 20),
        (0.05, 10_000, 500),
        (0.05, 4, 1),
        (0.02, 29_000, 580),
        (0.5, 40, 20),
        (3, 40, 3),
    ],
)
def test_a_part_that_is_cut_off_has_enough_to_choose_by(size, total, wanted):
    assert part_size(size, total, least=20) == wanted
    corpus = ListCorpus([(f"source {i}", "target") for i in range(total)])
    assert len(list(holdout(corpus, size, least=20)[1])) == wanted


@pytest.mark.parametrize("size", [0, -1, -0.1, math.nan])
def test_a_part_of_nothing_is_refused(size):
    with pytest.raises(UserError, match="cannot be cut off: take more than 0"):
        part_size(size, 100)


@pytest.mark.parametrize(
    "head, other, named",
    [
        ("translation", "wer", "loss, bleu"),
        ("speech_recognition", "cider", "loss, wer"),
        ("captioning", "bleu", "loss, cider"),
    ],
)
def test_a_head_takes_the_figures_that_it_measures(head, other, named):
    config = importlib.import_module(f"kerasseq.applications.{head}.config")
    for name in named.split(", "):
        chosen = config.configure({}, overrides=[f"training.best_by={name}"])
        assert chosen.training.best_by == name
    with pytest.raises(UserError, match=f"training.best_by must be one of {named}, not .{other}"):
        config.configure({}, overrides=[f"training.best_by={other}"])
