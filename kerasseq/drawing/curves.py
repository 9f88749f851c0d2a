"""Pictures of the course of a training."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kerasseq.drawing.figures import save_figure

TRAINING, VALIDATION, SCORE = "#7a9cc6", "#b3432b", "#3b7d4f"

# The metrics of a validation that get a panel, and the labels of their axes.
SCORES = {"bleu": "BLEU", "wer": "WER (%)", "cider": "CIDEr-D"}


def draw_training_curves(
    rows: Iterable[Mapping], path: str | Path, objective: Sequence[str] = ()
) -> None:
    """Draws the losses of a training against its steps, and each metric in its own panel.

    A ring marks the validation whose weights are chosen.

    Args:
        rows: the rows of a run's log: `{"kind": "train" or "valid", "step", "loss", ...}`; a
            validation may also have "best" and the metrics "bleu", "wer" and "cider".
        path: the file to write; its ending names the format.
        objective: the names of terms that only the training loss has. If there are any, the two
            losses get different panels.

    Raises:
        UserError: the ending names no format.

    Example:

    >>> import os
    >>> import kerasseq
    >>> rows = [{"kind": "train", "step": step, "loss": 100 / step} for step in (50, 100, 150)]
    >>> rows.append({"kind": "valid", "step": 150, "loss": 0.8, "bleu": 31.0, "best": True})
    >>> kerasseq.drawing.draw_training_curves(rows, "curves.png")
    >>> os.path.exists("curves.png")
    True
    """
    rows = list(rows)
    train = _select("loss", [row for row in rows if row["kind"] == "train"])
    valid = [row for row in rows if row["kind"] == "valid"]
    scores = {key: points for key in SCORES if (points := _select(key, valid))}
    losses = _select("loss", valid)
    apart = bool(objective and train and losses)

    count = 1 + apart + len(scores)
    figure = Figure(figsize=(7.5, 1.0 + 2.6 * count), layout="constrained")
    first, *others = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    second = others.pop(0) if apart else first
    _draw_line(first, train, "loss", TRAINING, "training")
    _draw_line(second, losses, "loss", VALIDATION, "validation")
    first.set_ylabel("loss (nats a token)")
    if apart:
        second.set_ylabel("loss (nats a token)")
    if objective and train:
        beside = f"The training loss also has {', '.join(objective)}."
        first.set_title(beside, fontsize=9, loc="left")
    for axes, (key, points) in zip(others, scores.items(), strict=True):
        _draw_line(axes, points, key, SCORE, "validation")
        axes.set_ylabel(SCORES[key])
    chosen = [row for row in valid if row.get("best")][-1:]
    for axes, key in ((second, "loss"), *zip(others, scores, strict=True)):
        _draw_ring(axes, _select(key, chosen), key)
    for axes in figure.axes:
        axes.grid(color="#e4e4e4", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        if axes.lines:
            axes.legend(frameon=False)
    if not train and not valid:
        first.text(0.5, 0.5, "no step yet", ha="center", va="center", transform=first.transAxes)
    bottom = figure.axes[-1]
    bottom.set_xlabel("step")
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    bottom.set_xlim(left=0, right=None if train or valid else 1)
    figure.align_ylabels()
    save_figure(figure, path, dpi=150)


def _select(key: str, rows: Iterable[Mapping]) -> list[Mapping]:
    """Returns the rows with a finite value of `key`."""
    return [row for row in rows if row.get(key) is not None and math.isfinite(row[key])]


def _draw_line(axes: Axes, points: Sequence[Mapping], key: str, colour: str, label: str) -> None:
    if points:
        marks = "o" if label == "validation" or len(points) == 1 else None
        steps, values = [p["step"] for p in points], [p[key] for p in points]
        axes.plot(steps, values, label=label, color=colour, linewidth=1.6, marker=marks, ms=3.5)


def _draw_ring(axes: Axes, chosen: Sequence[Mapping], key: str) -> None:
    for row in chosen:
        place = row["step"], row[key]
        axes.plot(*place, "o", ms=10, mfc="none", mec="black", label=f"chosen: {row[key]:.4g}")
