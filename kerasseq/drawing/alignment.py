"""Alignments of a text to a recording: what was heard when."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kerasseq.drawing.attention import WORD
from kerasseq.errors import UserError


def alignment_picture(
    sound: np.ndarray,
    rate: int,
    pieces: Sequence[str],
    weights: np.ndarray,
    path: str | Path,
    title: str = "",
) -> None:
    """Draw a recording's waveform, and below it the weight of each piece over its time.

    Args:
        sound: (samples,), of the recording.
        rate: samples a second.
        pieces: T units of the text, a row for each, the first at the top.
        weights: (T, F), from 0 to 1, over F steps that last the whole recording.
        path: the picture to write; its ending names the format.
        title: a line above the picture.

    Raises:
        UserError: the weights do not fit the pieces, or the ending names no format.
    """
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != 2 or len(weights) != len(pieces) or not weights.size:
        raise UserError(
            f"{len(pieces)} pieces need weights of the shape ({len(pieces)}, steps), "
            f"not {weights.shape}."
        )
    seconds = len(sound) / rate
    size = min(max(0.16 * len(pieces), 1.5), 8.0)
    figure = Figure(figsize=(min(max(2.2 * seconds, 5), 14), 1.4 + size), layout="constrained")
    wave, map_ = figure.subplots(2, sharex=True, height_ratios=[1, size])
    # As many points as can be seen: the extremes of short stretches.
    step = max(1, len(sound) // 2000)
    cut = np.asarray(sound[: len(sound) // step * step], float).reshape(-1, step)
    times = np.arange(len(cut)) * step / rate
    wave.fill_between(times, cut.min(axis=1), cut.max(axis=1), color="#6b8fb5", linewidth=0)
    wave.set_yticks([])
    map_.imshow(
        weights**0.7,
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(0, seconds, len(pieces), 0),
    )
    labels = [piece.replace(WORD, "\N{OPEN BOX}") for piece in pieces]
    map_.set_yticks(np.arange(len(pieces)) + 0.5, labels, fontsize=7, parse_math=False)
    map_.tick_params(length=0)
    map_.set_xlabel("seconds")
    for axes in (wave, map_):
        axes.spines[:].set_color("#b0b0b0")
    if title:
        figure.suptitle(title, fontsize=11, wrap=True, parse_math=False)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:  # matplotlib's own list of endings
        raise UserError(f"{path}: {error}.") from None
