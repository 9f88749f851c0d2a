"""Pictures of attention weights."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from kerasseq.drawing.figures import save_figure
from kerasseq.errors import UserError

# SentencePiece puts this mark before each word.
WORD_MARK = "\N{LOWER ONE EIGHTH BLOCK}"


def draw_attention(
    source: Sequence[str],
    target: Sequence[str],
    weights: np.ndarray,
    path: str | Path,
    title: str = "",
) -> None:
    """Draws attention weights (T, S) as a map: a row for each target piece, from top to bottom.

    A dot precedes a piece that continues a word. A darker cell has a larger weight; the scale is
    the same in all maps, from 0 to 1.

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
    cell = 0.26  # inch: the label of a cell stays readable at every size
    width, height = cell * len(source), cell * len(target)
    figure = Figure(figsize=(max(width, 1.5) + 1.8, max(height, 1.2) + 1.6), layout="constrained")
    axes = figure.subplots()
    # A power below one makes weights of a few hundredths visible.
    axes.imshow(weights**0.7, cmap="Blues", vmin=0, vmax=1)

    read, written = make_labels(source), make_labels(target)
    font = {"family": _find_fonts("".join([*read, *written, title])), "parse_math": False}
    turned = {"rotation": 60, "ha": "left"} if max(map(len, read)) > 2 else {}
    axes.set_xticks(range(len(source)), read, fontsize=9, **turned, **font)
    axes.set_yticks(range(len(target)), written, fontsize=9, **font)
    for label in axes.get_xticklabels():
        label.set_rotation_mode("anchor")
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0)
    for axis, count in ((axes.set_xticks, len(source)), (axes.set_yticks, len(target))):
        axis(np.arange(1, count) - 0.5, minor=True)
    axes.grid(which="minor", color="#e8e8e8", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_color("#b0b0b0")
    axes.set_ylabel("written", color="#606060")
    axes.set_xlabel("read", color="#606060")
    if title:
        figure.suptitle(title, fontsize=11, wrap=True, **font)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # _find_fonts has warned once
        save_figure(figure, path, dpi=150, bbox_inches="tight")


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


def _find_fonts(text: str) -> list[str]:
    """Returns fonts that have the characters of a text: the default one, and others if needed."""
    families = ["DejaVu Sans"]
    missing = set(text) - _list_characters(font_manager.findfont(families[0]))
    installed = sorted(font_manager.fontManager.ttflist, key=lambda font: (font.name, font.fname))
    for font in installed if missing else ():
        # The font of last resort draws a box for every character.
        if font.name.startswith("Last Resort") or font.style != "normal":
            continue
        covered = missing & _list_characters(font.fname)
        if covered:
            families.append(font.name)
            missing -= covered
        if not missing:
            break
    if missing:
        warnings.warn(
            f"no installed font has {''.join(sorted(missing)[:10])}: these characters are drawn as "
            "boxes; install a font that has them, such as Noto Sans",
            stacklevel=3,
        )
    return families


def _list_characters(path: str) -> set[str]:
    return {chr(code) for code in FT2Font(path).get_charmap()}
