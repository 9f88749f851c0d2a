"""Pictures of the alignment of a text to a recording."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kerasseq.drawing.attention import WORD_MARK
from kerasseq.drawing.figures import save_figure
from kerasseq.drawing.fonts import Fonts
from kerasseq.errors import UserError

# Seconds of a strip; a recording that is a little longer still has one strip.
_STRIP, _STRETCH = 8.0, 1.5

# Strips that are drawn; the rest of a long recording is left out.
_MOST_STRIPS = 24

# Inches: of a second, of the row of a piece, of the spectrogram, and of the rest of a strip.
_SECOND, _ROW, _SOUND, _REST = 1.7, 0.165, 0.9, 0.55

_TITLE_SIZE = 11


def draw_alignment(
    sound: np.ndarray,
    rate: int,
    pieces: Sequence[str],
    weights: np.ndarray,
    path: str | Path,
    title: str = "",
) -> None:
    """Draws the spectrogram of a recording, and below it the weights of each piece over time.

    A long recording is cut into strips of 8 s, one below the other. Each strip has the pieces whose
    largest weight is in it. After 192 s the rest is left out. The spectrogram has 64 mel bands, and
    shows levels down to 80 dB below the maximum.

    Args:
        sound: the recording, (samples,).
        rate: the number of samples per second.
        pieces: the T units of the text; each gets a row, the first one at the top.
        weights: (T, F), from 0 to 1, over F steps of equal length that cover the recording.
        path: the file to write; its ending names the format.
        title: a text above the picture.

    Raises:
        UserError: the weights do not fit the pieces, the ending names no format, or librosa is
            not installed.

    Example:

    >>> import os
    >>> import numpy as np
    >>> import kerasseq
    >>> time = np.arange(8000) / 8000
    >>> sound = np.sin(2 * np.pi * np.where(time < 0.5, 400, 800) * time)
    >>> weights = np.eye(2)  # "low" in the first half, "high" in the second
    >>> kerasseq.drawing.draw_alignment(sound, 8000, ["low", "high"], weights, "alignment.png")
    >>> os.path.exists("alignment.png")
    True
    """
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != 2 or len(weights) != len(pieces) or not weights.size:
        raise UserError(
            f"{len(pieces)} pieces need weights of the shape ({len(pieces)}, steps), "
            f"not {weights.shape}."
        )
    seconds = len(sound) / rate
    count = 1 if seconds <= _STRETCH * _STRIP else math.ceil(seconds / _STRIP)
    span = seconds if count == 1 else _STRIP
    # Of pieces of no weight, the strip is that of the piece before.
    peaks = np.maximum.accumulate(np.where(weights.any(axis=1), weights.argmax(axis=1), 0))
    strips = np.minimum((peaks * seconds / weights.shape[1] / span).astype(int), count - 1)
    rows = [np.flatnonzero(strips == strip) for strip in range(min(count, _MOST_STRIPS))]
    if count > len(rows):
        title = f"The first {len(rows) * span:.0f} of {seconds:.0f} s. {title}"

    labels = [piece.replace(WORD_MARK, "\N{OPEN BOX}") for piece in pieces]
    fonts = Fonts.find([*labels, title])
    width = min(max(_SECOND * span, 5), 14.0)
    lines = fonts.wrap(title, width - 0.5, _TITLE_SIZE)
    maps = [max(_ROW * len(some), 2 * _ROW if count > 1 else 1.0) for some in rows]
    height = sum(maps) + (_SOUND + _REST) * len(rows) + 0.22 * len(lines) + 0.3 * bool(fonts.note)
    figure = Figure(figsize=(width, height), layout="constrained")
    ratios = [ratio for map_ in maps for ratio in (_SOUND, map_)]
    axes = figure.subplots(len(ratios), height_ratios=ratios, squeeze=False)[:, 0]
    levels = _compute_spectrogram(sound, rate, len(rows))
    for strip, some in enumerate(rows):
        start = strip * span
        spectrogram, map_ = axes[2 * strip : 2 * strip + 2]
        spectrogram.imshow(
            levels, aspect="auto", cmap="magma", origin="lower", extent=(0, seconds, 0, 1)
        )
        _draw_weights(map_, weights[some], [fonts.spell(labels[i]) for i in some], seconds, fonts)
        for part in (spectrogram, map_):
            part.set_xlim(start, start + span)
            part.spines[:].set_color("#b0b0b0")
        spectrogram.set_yticks([])
        spectrogram.tick_params(labelbottom=False)
    axes[-1].set_xlabel("\n".join(filter(None, ["seconds", fonts.note])))
    if lines:
        figure.suptitle("\n".join(lines), fontsize=_TITLE_SIZE, **fonts.options)
    save_figure(figure, path, dpi=150)


def _draw_weights(
    axes: Any, weights: np.ndarray, labels: Sequence[str], seconds: float, fonts: Fonts
) -> None:
    """Draws a row for each piece, and lines that lead from its label to its weights."""
    if not len(labels):
        axes.set_yticks([])
        return
    axes.imshow(
        weights**0.7,
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(0, seconds, len(labels), 0),
    )
    axes.set_yticks(np.arange(len(labels)) + 0.5, labels, fontsize=8, **fonts.options)
    axes.grid(axis="y", color="#ececec", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)


def _compute_spectrogram(sound: np.ndarray, rate: int, strips: int) -> np.ndarray:
    """Returns the mel spectrogram of a recording, (bands, steps), in dB relative to its maximum."""
    try:
        import librosa
    except ModuleNotFoundError as error:
        raise UserError(
            'Spectrograms need the package librosa: pip install "kerasseq[audio]"'
        ) from error
    # More steps than this would not be visible.
    hop = max(rate // 100, len(sound) // (2000 * strips))
    width = 1 << (rate // 40).bit_length()
    samples = np.pad(np.asarray(sound, np.float32), (0, max(0, width - len(sound))))
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=width, hop_length=hop, n_mels=64
    )
    return librosa.power_to_db(power, ref=np.max)
