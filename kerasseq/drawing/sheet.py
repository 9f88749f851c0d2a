"""Sheets of pictures with captions."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kerasseq.drawing.figures import save_figure

COLUMNS = 4


def draw_caption_sheet(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    path: str | Path,
) -> None:
    """Draws pictures, each with a caption and, in parentheses, the first of its references.

    Args:
        pictures: N arrays (H, W, 3) uint8.
        captions: the N captions of a model.
        references: for each picture, captions by people.
        path: the file to write; its ending names the format.

    Raises:
        UserError: the ending names no format.

    Example:

    >>> import os
    >>> import numpy as np
    >>> import kerasseq
    >>> picture = np.zeros((32, 32, 3), "uint8")
    >>> kerasseq.drawing.draw_caption_sheet([picture], ["a cat"], [["a dog"]], "sheet.png")
    >>> os.path.exists("sheet.png")
    True
    """
    rows = -(-len(pictures) // COLUMNS)
    figure = Figure(figsize=(3.2 * COLUMNS, 4.0 * rows), layout="constrained")
    places = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for axes in places:
        axes.set_axis_off()
    for axes, picture, caption, texts in zip(
        figure.axes, pictures, captions, references, strict=False
    ):
        axes.imshow(picture)
        lines = textwrap.wrap(caption, 34) + textwrap.wrap(f"({texts[0].strip()})", 38)
        axes.set_title("\n".join(lines), fontsize=9, parse_math=False)
    save_figure(figure, path, dpi=100)
