"""Attention maps: where a model looks while it writes."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from kerasseq.errors import UserError

# The mark by which SentencePiece begins a word.
WORD = "\N{LOWER ONE EIGHTH BLOCK}"


def attention_map(
    source: Sequence[str],
    target: Sequence[str],
    weights: np.ndarray,
    path: str | Path,
    title: str = "",
) -> None:
    """Draw attention weights (T, S) as a picture: a row for each piece written, top to bottom.

    A piece that goes on a word, rather than begin one, is written with a dot before it. The
    darker a cell, the larger its weight; the scale is the same in all pictures, from 0 to 1.

    Args:
        source: the S pieces that were read.
        target: the T pieces that were written.
        weights: the weights, rows of which sum to one, or to less where padding was cut off.
        path: the picture to write; its ending names the format.
        title: a line above the picture.

    Raises:
        UserError: the weights do not fit the pieces, or the ending names no format.
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
    # A power below one, so that weights of a few hundredths can be seen.
    axes.imshow(weights**0.7, cmap="Blues", vmin=0, vmax=1)

    read, written = readable(source), readable(target)
    font = {"family": _families("".join([*read, *written, title])), "parse_math": False}
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
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # said above, once
            figure.savefig(path, dpi=150, bbox_inches="tight")
    except ValueError as error:  # matplotlib's own list of endings
        raise UserError(f"{path}: {error}.") from None


def readable(pieces: Sequence[str]) -> list[str]:
    """Labels for pieces: without SentencePiece's mark, with a dot before letters and digits
    that go on a word.

    Pieces that carry no mark at all, such as whole words or characters, stay as they are.
    """
    marked = any(WORD in piece for piece in pieces)
    labels = []
    for index, piece in enumerate(pieces):
        text = piece.replace(WORD, " ").strip() or "\N{OPEN BOX}"
        goes_on = marked and index > 0 and piece[:1].isalnum()
        labels.append(f"\N{MIDDLE DOT}{text}" if goes_on else text)
    return labels


def _families(text: str) -> list[str]:
    """The fonts that have the characters of a text: the usual one, then others as needed."""
    families = ["DejaVu Sans"]
    missing = set(text) - _characters(font_manager.findfont(families[0]))
    installed = sorted(font_manager.fontManager.ttflist, key=lambda font: (font.name, font.fname))
    for font in installed if missing else ():
        # The font of last resort has a picture of a box for every character there is.
        if font.name.startswith("Last Resort") or font.style != "normal":
            continue
        found = missing & _characters(font.fname)
        if found:
            families.append(font.name)
            missing -= found
        if not missing:
            break
    if missing:
        warnings.warn(
            f"no installed font has {''.join(sorted(missing)[:10])}: these characters are drawn as "
            "boxes; install a font that has them, such as Noto Sans",
            stacklevel=3,
        )
    return families


def _characters(path: str) -> set[str]:
    return {chr(code) for code in FT2Font(path).get_charmap()}
