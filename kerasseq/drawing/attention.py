"""Pictures of attention weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kerasseq.drawing.figures import save_figure
from kerasseq.drawing.fonts import Fonts
from kerasseq.errors import UserError

# SentencePiece puts this mark before each word.
WORD_MARK = "\N{LOWER ONE EIGHTH BLOCK}"

# Inches of a cell: its label stays readable at every size.
_CELL = 0.26

# Pieces of a side that are drawn, and the most pixels of a side.
_MOST_PIECES, _MOST_PIXELS = 400, 12_000


def draw_attention(
    source: Sequence[str],
    target: Sequence[str],
    weights: np.ndarray,
    path: str | Path,
    title: str = "",
) -> None:
    """Draws attention weights (T, S) as a map: a row for each target piece, from top to bottom.

    A dot precedes a piece that continues a word. A darker cell has a larger weight; the scale is
    the same in all maps, from 0 to 1. Of long texts the first 400 pieces are drawn.

    Args:
        source: the S pieces of the source.
        target: the T pieces of the target.
        weights: the weights (T, S); each row sums to at most one.
        path: the file to write; its ending names the format.
        title: a line above the map.

    Raises:
        UserError: the weights do not fit the pieces, or the ending names no format.

    Example:

    >>> import os
    >>> import kerasseq
    >>> weights = [[0.9, 0.1], [0.2, 0.8]]
    >>> kerasseq.drawing.draw_attention(["two", "dogs"], ["zwei", "Hunde"], weights, "map.png")
    >>> os.path.exists("map.png")
    True
    """
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (len(target), len(source)) or not weights.size:
        raise UserError(
            f"{len(target)} written and {len(source)} read pieces need weights of the shape "
            f"({len(target)}, {len(source)}), none of it zero, not {weights.shape}."
        )
    longest = max(weights.shape)
    if longest > _MOST_PIECES:
        title = f"The first {_MOST_PIECES} of {longest:,} pieces. {title}"
        weights = weights[:_MOST_PIECES, :_MOST_PIECES]
    read, written = make_labels(source)[:_MOST_PIECES], make_labels(target)[:_MOST_PIECES]
    fonts = Fonts.find([*read, *written, title])
    read, written = ([fonts.spell(label) for label in labels] for labels in (read, written))
    width, height = _CELL * len(read), _CELL * len(written)
    size = max(width, 1.5) + 1.8, max(height, 1.2) + 1.6
    lines = fonts.wrap(title, size[0] - 0.3, 11)
    size = size[0], size[1] + 0.2 * len(lines)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    # A power below one makes weights of a few hundredths visible.
    axes.imshow(weights**0.7, cmap="Blues", vmin=0, vmax=1)

    turned = {"rotation": 60, "ha": "left"} if max(map(len, read)) > 2 else {}
    axes.set_xticks(range(len(read)), read, fontsize=9, **turned, **fonts.options)
    axes.set_yticks(range(len(written)), written, fontsize=9, **fonts.options)
    for label in axes.get_xticklabels():
        label.set_rotation_mode("anchor")
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0)
    for axis, count in ((axes.set_xticks, len(read)), (axes.set_yticks, len(written))):
        axis(np.arange(1, count) - 0.5, minor=True)
    axes.grid(which="minor", color="#e8e8e8", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_color("#b0b0b0")
    axes.set_ylabel("written", color="#606060")
    axes.set_xlabel("\n".join(filter(None, ["read", fonts.note])), color="#606060")
    if lines:
        figure.suptitle("\n".join(lines), fontsize=11, **fonts.options)
    save_figure(figure, path, dpi=min(150, _MOST_PIXELS / max(size)), bbox_inches="tight")


def make_labels(pieces: Sequence[str]) -> list[str]:
    """Returns a label for each piece: a dot replaces the mark of SentencePiece.

    A dot precedes letters and digits that continue a word. If no piece has the mark, as with whole
    words or characters, the labels are the pieces.
    """
    marked = any(WORD_MARK in piece for piece in pieces)
    labels = []
    for index, piece in enumerate(pieces):
        text = piece.replace(WORD_MARK, " ").strip() or "\N{OPEN BOX}"
        continues = marked and index > 0 and piece[:1].isalnum()
        labels.append(f"\N{MIDDLE DOT}{text}" if continues else text)
    return labels
