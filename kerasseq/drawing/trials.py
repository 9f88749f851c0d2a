"""A picture of the trials of a search: which settings mattered, and how."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from kerasseq.drawing.curves import SCORE, TRAINING, VALIDATION
from kerasseq.drawing.figures import save_figure

_COLUMNS, _MOST = 4, 20
_LEAST = 5  # trials with a setting, below which nothing is said of it


class Trial(NamedTuple):
    """A trial of a search.

    Attributes:
        values: its settings by their names: numbers, texts, Booleans or lists.
        figure: the figure that is compared.
        complete: whether its training was not stopped early.

    Example:

    >>> import kerasseq
    >>> trial = kerasseq.drawing.Trial({"rate": 1e-3, "cell": "gru"}, 31.5)
    >>> trial.values["cell"], trial.complete
    ('gru', True)
    """

    values: dict[str, Any]
    figure: float
    complete: bool = True


def measure_importance(trials: Sequence[Trial], name: str) -> float:
    r"""Returns the share of the differences among trials that one setting alone explains.

    The figures are replaced by their ranks $r$. For a number, the share is the coefficient of
    determination of a line through $r$ against the ranks of the values; for other settings, it is
    the variance of the means of $r$ of equal values. Both are adjusted for the number of trials n
    and of parameters p, so that a setting without effect has 0 on average:

    $$1 - (1 - R^2) \frac{n - 1}{n - p}$$

    Args:
        trials: the trials; those without the setting do not count.
        name: the name of the setting.

    Returns:
        The share from 0 to 1; 0 if there are fewer than five trials.

    Example:

    >>> import kerasseq
    >>> from kerasseq.drawing import Trial
    >>> trials = [Trial({"rate": rate, "noise": rate % 3}, 2.0 * rate) for rate in range(12)]
    >>> kerasseq.drawing.measure_importance(trials, "rate")
    1.0
    >>> kerasseq.drawing.measure_importance(trials, "noise")
    0.0
    """
    trials = [trial for trial in trials if name in trial.values]
    if len(trials) < _LEAST:
        return 0.0
    figures = _rank([trial.figure for trial in trials])
    values = [trial.values[name] for trial in trials]
    labels = [json.dumps(value) for value in values]
    whole = float(((figures - figures.mean()) ** 2).sum())
    if not whole or len(set(labels)) < 2:
        return 0.0
    if all(map(_is_number, values)):
        parameters = 2
        ranks = _rank(values)
        explained = float(np.corrcoef(ranks, figures)[0, 1]) ** 2
    else:
        parameters = len(set(labels))
        groups = [figures[[one == label for one in labels]] for label in set(labels)]
        between = sum(len(some) * (some.mean() - figures.mean()) ** 2 for some in groups)
        explained = float(between) / whole
    if len(trials) <= parameters:
        return 0.0
    adjusted = 1 - (1 - explained) * (len(trials) - 1) / (len(trials) - parameters)
    return round(max(adjusted, 0.0), 6)


def draw_trials(
    trials: Sequence[Trial], path: str | Path, figure: str, best: int | None = None
) -> None:
    """Draws how much each setting mattered, and the figure of each trial against each setting.

    The settings that matter most come first. A ring marks the best trial; hollow points are trials
    that were stopped early.

    Args:
        trials: the trials.
        path: the file to write; its ending names the format.
        figure: the name of the figure that is compared.
        best: the place of the best trial.

    Raises:
        UserError: the ending names no format.

    Example:

    >>> import os
    >>> import kerasseq
    >>> from kerasseq.drawing import Trial
    >>> trials = [Trial({"rate": rate / 1000, "cell": "gru"}, 20.0 - rate) for rate in range(1, 9)]
    >>> kerasseq.drawing.draw_trials(trials, "trials.png", "WER", best=7)
    >>> os.path.exists("trials.png")
    True
    """
    names = list(dict.fromkeys(name for trial in trials for name in trial.values))
    shares = {name: measure_importance(trials, name) for name in names}
    names = sorted(names, key=lambda name: -shares[name])[:_MOST]
    rows = max(1, -(-len(names) // _COLUMNS))
    top = 1.0 + 0.24 * max(len(names), 1)
    picture = Figure(figsize=(3.2 * _COLUMNS, top + 2.3 * rows), layout="constrained")
    above, below = picture.subfigures(2, 1, height_ratios=[top, 2.3 * rows])
    _draw_shares(above.subplots(), names, shares, len(trials))
    grid = below.subplots(rows, _COLUMNS, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(names):
            axes.set_visible(False)
            continue
        _draw_setting(axes, trials, names[place], best)
        if place % _COLUMNS == 0:
            axes.set_ylabel(f"{figure} of validation", fontsize=8)
    save_figure(picture, path, dpi=110)


def _draw_shares(axes: Axes, names: list[str], shares: dict[str, float], count: int) -> None:
    places = np.arange(len(names))[::-1]
    axes.barh(places, [100 * shares[name] for name in names], color=TRAINING, height=0.7)
    for place, name in zip(places, names, strict=True):
        axes.text(100 * shares[name] + 0.5, place, f"{100 * shares[name]:.0f}", va="center", size=8)
    axes.set_yticks(places, names, fontsize=8)
    axes.set_xlim(0, 105)
    axes.set_xlabel("share of the differences among trials that the setting alone explains (%)")
    few = f"{count} trials: " + ("a hint, no proof" if count < 50 else "a rough measure")
    few = f"fewer than {_LEAST} trials say nothing yet" if count < _LEAST else few
    axes.set_title(few, fontsize=9, loc="left")
    _clean(axes)


def _draw_setting(axes: Axes, trials: Sequence[Trial], name: str, best: int | None) -> None:
    some = [(place, trial) for place, trial in enumerate(trials) if name in trial.values]
    values = [trial.values[name] for _, trial in some]
    if all(map(_is_number, values)):
        x = np.array(values, float)
        ticks = sorted(set(values))
        if x.min() > 0 and x.max() / x.min() > 5:
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
            ticks = ticks if len(ticks) <= 5 else _choose_ticks(x.min(), x.max())
        if len(ticks) <= 5:
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    else:
        labels = sorted(set(map(_label, values)))
        # Points of equal values side by side, in the order of the trials.
        x = np.array([labels.index(_label(value)) for value in values], float)
        x += np.linspace(-0.2, 0.2, len(x)) if len(x) > 1 else 0
        axes.set_xticks(range(len(labels)), labels)
        axes.set_xlim(-0.5, len(labels) - 0.5)
    for (place, trial), at in zip(some, x, strict=True):
        fill = SCORE if trial.complete else "none"
        axes.plot(at, trial.figure, "o", ms=4.5, mec=SCORE, mfc=fill, alpha=0.9)
        if place == best:
            axes.plot(at, trial.figure, "o", ms=10, mfc="none", mec=VALIDATION, mew=1.4)
    axes.set_title(name, fontsize=8, loc="left")
    axes.margins(x=0.08)
    axes.tick_params(labelsize=7)
    _clean(axes)


def _choose_ticks(low: float, high: float) -> list[float]:
    """Returns at most five of the numbers 1, 2 and 5 times a power of ten between two bounds."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{first}e{power}") for power in powers for first in (1, 2, 5)]
    inside = [tick for tick in ticks if low <= tick <= high]
    return inside[:: -(-len(inside) // 5)]


def _clean(axes: Axes) -> None:
    axes.grid(color="#e4e4e4", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _label(value: Any) -> str:
    if isinstance(value, list):
        ends = dict.fromkeys([*sorted(value)[:1], *sorted(value)[-1:]])
        return "–".join(f"{end:g}" for end in ends) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rank(values: Sequence[float]) -> np.ndarray:
    """Returns the ranks of values, the mean rank for equal ones."""
    values = np.asarray(values, float)
    less = (values[:, None] > values[None]).sum(axis=1)
    equal = (values[:, None] == values[None]).sum(axis=1)
    return less + (equal - 1) / 2
