"""Attention laid over the picture that it looks at."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

COLUMNS = 5


def overlay(
    clip: np.ndarray, words: Sequence[str], maps: np.ndarray, path: str | Path, title: str = ""
) -> None:
    """Draw the picture once for each word, bright where the model looked when it wrote it.

    Of a clip, each word has the frame that it looked at most.

    Args:
        clip: frames (F, H, W, 3) uint8.
        words: T of them.
        maps: weights (T, F, h, w) over the regions of the frames.
        path: the picture to write; its ending names the format.
        title: a line above.
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
        axes.imshow(_lit(clip[frame], weights[frame]))
        axes.set_title(word, fontsize=11, parse_math=False)
    if title:
        figure.suptitle(title, fontsize=12, parse_math=False)
    figure.savefig(path, dpi=100)


def _lit(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) that is dark but for where the weights (h, w) are, smoothly."""
    top = max(float(weights.max()), 1e-9)
    light = Image.fromarray((255 * weights / top).astype(np.uint8))
    light = light.resize(picture.shape[1::-1], Image.Resampling.BICUBIC)
    share = 0.15 + 0.85 * np.asarray(light, np.float32)[:, :, None] / 255
    return (picture * share).astype(np.uint8)
