"""Pictures of what is in data: lengths, words and their frequencies."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from kerasseq.drawing.curves import SCORE, TRAINING, VALIDATION
from kerasseq.drawing.figures import save_figure

COLOURS = {"train": TRAINING, "valid": VALIDATION, "test": SCORE}
NAMES = {"train": "training", "valid": "validation", "test": "test"}

SOURCE_WORDS, TARGET_WORDS = "#c77d2b", "#6a4c93"

_MAX_BARS = 40


def draw_survey(surveys: Mapping[str, Any], path: str | Path, title: str = "") -> None:
    """Draws what is in the parts of some data.

    The panels are histograms of the lengths of the texts, the frequency of each word against its
    rank, and by the kind of data: histograms of the seconds and of the words a second of
    recordings, of the characters of a target for each of its source, or of the captions of a
    picture. A histogram has the share of the examples of each part; its first and
    last bars also have what is outside the middle 99 % of the training part.

    Args:
        surveys: by "train", "valid" and "test", the `kerasseq.data.Survey` of each part.
        path: the file to write; its ending names the format.
        title: a line above the picture.

    Raises:
        UserError: the ending names no format.

    Example:

    >>> import os
    >>> import kerasseq
    >>> from kerasseq.data import ListCorpus, survey
    >>> facts = survey(ListCorpus([("eins", "one"), ("zwei drei", "two three")]))
    >>> kerasseq.drawing.draw_survey({"train": facts}, "survey.png")
    >>> os.path.exists("survey.png")
    True
    """
    first = next(iter(surveys.values()))
    figure = Figure(figsize=(11, 7.2), layout="constrained")
    panels = figure.subplots(2, 2).flat
    words = {part: facts.target.words_each for part, facts in surveys.items()}
    if first.sound:
        seconds = {part: facts.sound.seconds_each for part, facts in surveys.items()}
        _draw_histogram(next(panels), seconds, "seconds of a recording")
        _draw_histogram(next(panels), words, "words of a transcript", whole=True)
        pace = {part: words[part] / np.maximum(seconds[part], 1e-3) for part in surveys}
        _draw_histogram(next(panels), pace, "words a second")
    elif first.source:
        for side in ("source", "target"):
            values = {part: getattr(facts, side).words_each for part, facts in surveys.items()}
            _draw_histogram(next(panels), values, f"words of a {side}", whole=True)
        ratios = {
            part: facts.target.characters_each / np.maximum(facts.source.characters_each, 1)
            for part, facts in surveys.items()
        }
        _draw_histogram(next(panels), ratios, "characters of a target for each of its source")
    else:
        _draw_histogram(next(panels), words, "words of a caption", whole=True)
        characters = {part: facts.target.characters_each for part, facts in surveys.items()}
        _draw_histogram(next(panels), characters, "characters of a caption", whole=True)
        captions = {part: facts.pictures.captions_each for part, facts in surveys.items()}
        _draw_histogram(next(panels), captions, "captions of a picture", whole=True)
    _draw_frequencies(next(panels), surveys)
    for axes in figure.axes:
        axes.grid(color="#e4e4e4", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=12, wrap=True, parse_math=False)
    save_figure(figure, path, dpi=130)


def _draw_histogram(
    axes: Axes, values: Mapping[str, np.ndarray], label: str, whole: bool = False
) -> None:
    """Draws the shares of the examples of each part.

    Args:
        whole: whether the values are whole numbers, each of which then has a bar if they are few.
    """
    values = {part: some[np.isfinite(some)] for part, some in values.items()}
    values = {part: some for part, some in values.items() if len(some)}
    axes.set_xlabel(label)
    axes.set_ylabel("% of the examples")
    if not values:
        axes.text(0.5, 0.5, "not known", ha="center", va="center", transform=axes.transAxes)
        return
    edges = _find_edges(next(iter(values.values())), min(map(len, values.values())), whole)
    for part, some in values.items():
        counts, _ = np.histogram(np.clip(some, edges[0], edges[-1]), edges)
        axes.stairs(
            100 * counts / len(some),
            edges,
            fill=part == "train",
            alpha=0.55 if part == "train" else 1,
            color=COLOURS[part],
            linewidth=1.6,
            label=f"{NAMES[part]} (median {np.median(some):.3g})",
        )
    axes.set_ylim(bottom=0)
    if whole:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _find_edges(values: np.ndarray, count: int, whole: bool) -> Sequence[float]:
    """Returns the edges of the bars, from the 0.5th to the 99.5th percentile.

    Args:
        values: of the first part.
        count: the number of values of the smallest part, which sets the number of bars.
        whole: whether the values are whole numbers.
    """
    low, high = (float(np.quantile(values, share)) for share in (0.005, 0.995))
    bars = int(np.clip(2 * np.sqrt(count), 5, _MAX_BARS))
    if whole:
        low, high = np.floor(low), np.ceil(high)
        step = max(1, round((high - low) / bars))
        return np.arange(low - 0.5, high + step + 0.5, step)
    return np.linspace(low, high if high > low else low + 1, bars + 1)


def _draw_frequencies(axes: Axes, surveys: Mapping[str, Any]) -> None:
    """Draws how often each word comes against its rank, of the first part, on both sides."""
    part, facts = next(iter(surveys.items()))
    sides = {"target words": facts.target}
    if facts.source:
        sides["source words"] = facts.source
    most = 5
    for (name, texts), colour in zip(sides.items(), (TARGET_WORDS, SOURCE_WORDS), strict=False):
        counts = np.sort(np.fromiter(texts.word_counts.values(), np.int64))[::-1]
        if len(counts):
            most = max(most, int(counts[0]))
            label = f"{name if facts.source else 'words'}: {len(counts):,} different"
            ranks = np.arange(1, len(counts) + 1)
            marks = "o" if len(counts) < 30 else None
            axes.plot(ranks, counts, color=colour, linewidth=1.6, marker=marks, ms=4, label=label)
    axes.axhline(5, color="#808080", linestyle=":", linewidth=1.2, label="five times")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(left=0.8)
    axes.set_ylim(0.8, 2 * most)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"rank of a word in the {NAMES[part]} part")
    axes.set_ylabel("how often it comes")
