"""Pictures with attention weights over them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from kerasseq.drawing.figures import save_figure

COLUMNS = 5


def draw_overlay(
    clip: np.ndarray, words: Sequence[str], maps: np.ndarray, path: str | Path, title: str = ""
) -> None:
    """Draws a picture once for each word, and makes regions with large attention weights bright.

    If the picture is a clip, each word gets the frame with its largest weights.

    Args:
        clip: the F frames of a clip, or one picture: (F, H, W, 3) uint8.
        words: the T words.
        maps: the weights (T, F, h, w) of the regions of the frames.
        path: the file to write; its ending names the format.
        title: a line above the pictures.

    Raises:
        UserError: the ending names no format.

    Example:

    >>> import os
    >>> import numpy as np
    >>> import kerasseq
    >>> picture = np.full((1, 64, 64, 3), 255, "uint8")
    >>> maps = np.array([[[[1.0, 0.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 1.0]]]])
    >>> kerasseq.drawing.draw_overlay(picture, ["left", "right"], maps, "overlay.png")
    >>> os.path.exists("overlay.png")
    True
    """
    count = len(words) + 1
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(2.3 * columns, 2.6 * rows + 0.5), layout="constrained")
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in places:
        axes.set_axis_off()
    places[0].imshow(clip[0])
    for axes, word, weights in zip(places[1:], words, maps, strict=False):
        frame = int(weights.sum(axis=(1, 2)).argmax())
        axes.imshow(_lighten(clip[frame], weights[frame]))
        axes.set_title(word, fontsize=11, parse_math=False)
    if title:
        figure.suptitle(title, fontsize=12, parse_math=False)
    save_figure(figure, path, dpi=100)


def _lighten(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the picture (H, W, 3), dark where the weights (h, w) are small."""
    top = max(float(weights.max()), 1e-9)
    light = Image.fromarray((255 * weights / top).astype(np.uint8))
    light = light.resize(picture.shape[1::-1], Image.Resampling.BICUBIC)
    share = 0.15 + 0.85 * np.asarray(light, np.float32)[:, :, None] / 255
    return (picture * share).astype(np.uint8)
