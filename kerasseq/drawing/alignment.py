"""Pictures of the alignment of a text to a recording."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kerasseq.drawing.attention import WORD_MARK
from kerasseq.drawing.figures import save_figure
from kerasseq.errors import UserError


def draw_alignment(
    sound: np.ndarray,
    rate: int,
    pieces: Sequence[str],
    weights: np.ndarray,
    path: str | Path,
    title: str = "",
) -> None:
    """Draws the spectrogram of a recording, and below it the weights of each piece over time.

    The spectrogram has 64 mel bands, and shows levels down to 80 dB below the maximum.

    Args:
        sound: the recording, (samples,).
        rate: the number of samples per second.
        pieces: the T units of the text; each gets a row, the first one at the top.
        weights: (T, F), from 0 to 1, over F steps of equal length that cover the recording.
        path: the file to write; its ending names the format.
        title: a line above the picture.

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
    size = min(max(0.16 * len(pieces), 1.5), 8.0)
    figure = Figure(figsize=(min(max(2.2 * seconds, 5), 14), 1.4 + size), layout="constrained")
    spectrogram, map_ = figure.subplots(2, sharex=True, height_ratios=[1, size])
    spectrogram.imshow(
        _compute_spectrogram(sound, rate),
        aspect="auto",
        cmap="magma",
        origin="lower",
        extent=(0, seconds, 0, 1),
    )
    spectrogram.set_yticks([])
    map_.imshow(
        weights**0.7,
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(0, seconds, len(pieces), 0),
    )
    labels = [piece.replace(WORD_MARK, "\N{OPEN BOX}") for piece in pieces]
    map_.set_yticks(np.arange(len(pieces)) + 0.5, labels, fontsize=7, parse_math=False)
    map_.tick_params(length=0)
    map_.set_xlabel("seconds")
    for axes in (spectrogram, map_):
        axes.spines[:].set_color("#b0b0b0")
    if title:
        figure.suptitle(title, fontsize=11, wrap=True, parse_math=False)
    save_figure(figure, path, dpi=150)


def _compute_spectrogram(sound: np.ndarray, rate: int) -> np.ndarray:
    """Returns the mel spectrogram of a recording, (bands, steps), in dB relative to its maximum."""
    try:
        import librosa
    except ModuleNotFoundError as error:
        raise UserError(
            'Spectrograms need the package librosa: pip install "kerasseq[audio]"'
        ) from error
    # More steps than this would not be visible.
    hop = max(rate // 100, len(sound) // 2000)
    width = 1 << (rate // 40).bit_length()
    samples = np.pad(np.asarray(sound, np.float32), (0, max(0, width - len(sound))))
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=width, hop_length=hop, n_mels=64
    )
    return librosa.power_to_db(power, ref=np.max)
