"""Where a captioner looks while it writes."""

from pathlib import Path

import numpy as np

from kerasseq.drawing.attention import WORD
from kerasseq.drawing.overlay import overlay
from kerasseq.errors import UserError
from kerasseq.models import Options, Seq2Seq
from kerasseq.preprocessing.padding import END


def look(model: Seq2Seq, clip: np.ndarray, path: str | Path, options: Options | None = None) -> str:
    """Draw a picture once for every word of its caption, with the model's attention over it.

    Args:
        clip: frames (F, H, W, 3) uint8, of the model's size.
        path: the picture to write.
        options: how to decode; by default as the model was measured.

    Returns:
        The caption.

    Raises:
        UserError: the model does not attend to regions or frames.
    """
    first = model.encoder.layers[0]
    (best, *_), *_ = model.hypotheses([clip], options)
    tokens = [token for token in best.tokens if token != END]
    weights = model.alignment(clip, best)
    places = len(clip) * first.grid[0] * first.grid[1]
    if weights.shape[1] != places:
        raise UserError("This model's attention is not over the regions of a picture.")
    maps = weights.reshape(len(tokens), len(clip), *first.grid)
    words = [piece.lstrip(WORD) for piece in model.preprocessor.pieces(tokens, "target")]
    overlay(clip, words, maps, path, best.text)
    return best.text
