"""A sheet of pictures with what was written of them beside what people say."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

COLUMNS = 4


def sheet(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    path: str | Path,
) -> None:
    """Draw pictures (H, W, 3) uint8, each with its caption and the first of its references."""
    rows = -(-len(pictures) // COLUMNS)
    figure = Figure(figsize=(3.2 * COLUMNS, 4.0 * rows), layout="constrained")
    places = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for axes in places:
        axes.set_axis_off()
    for axes, picture, caption, known in zip(
        figure.axes, pictures, captions, references, strict=False
    ):
        axes.imshow(picture)
        lines = textwrap.wrap(caption, 34) + textwrap.wrap(f"({known[0].strip()})", 38)
        axes.set_title("\n".join(lines), fontsize=9, parse_math=False)
    figure.savefig(path, dpi=100)
