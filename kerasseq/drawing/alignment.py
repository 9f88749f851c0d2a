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
    """Draw a recording's spectrogram, and below it the weight of each piece over its time.

    The spectrogram has 64 mel bands of up to 80 dB below the loudest.

    Args:
        sound: (samples,), of the recording.
        rate: samples a second.
        pieces: T units of the text, a row for each, the first at the top.
        weights: (T, F), from 0 to 1, over F steps that last the whole recording.
        path: the picture to write; its ending names the format.
        title: a line above the picture.

    Raises:
        UserError: the weights do not fit the pieces, the ending names no format, or librosa is
            not installed.
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
    heard, map_ = figure.subplots(2, sharex=True, height_ratios=[1, size])
    heard.imshow(
        _decibels(sound, rate),
        aspect="auto",
        cmap="magma",
        origin="lower",
        extent=(0, seconds, 0, 1),
    )
    heard.set_yticks([])
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
    for axes in (heard, map_):
        axes.spines[:].set_color("#b0b0b0")
    if title:
        figure.suptitle(title, fontsize=11, wrap=True, parse_math=False)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:  # matplotlib's own list of endings
        raise UserError(f"{path}: {error}.") from None


def _decibels(sound: np.ndarray, rate: int) -> np.ndarray:
    """The mel spectrogram of a recording, (bands, steps), in dB below the loudest."""
    try:
        import librosa
    except ModuleNotFoundError as error:
        raise UserError(
            'Spectrograms need the package librosa: pip install "kerasseq[audio]"'
        ) from error
    # As many steps as can be seen.
    hop = max(rate // 100, len(sound) // 2000)
    width = 1 << (rate // 40).bit_length()
    samples = np.pad(np.asarray(sound, np.float32), (0, max(0, width - len(sound))))
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=width, hop_length=hop, n_mels=64
    )
    return librosa.power_to_db(power, ref=np.max)
