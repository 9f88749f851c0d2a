"""What a training shows at its end."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasseq.applications.common import report as common
from kerasseq.applications.common.parts import Parts, read_some
from kerasseq.drawing import draw_caption_sheet, draw_overlay
from kerasseq.drawing.attention import WORD_MARK
from kerasseq.errors import UserError
from kerasseq.models import Options, Seq2Seq
from kerasseq.special_ids import END
from kerasseq.training import Run

SHOWN = 12


def report(
    model: Seq2Seq, parts: Parts, run: Run, scores: dict, say: Callable[[str], None]
) -> None:
    """Says and draws what the model learned, and names the commands to go on with."""
    preprocessor = model.preprocessor
    some = read_some(parts.test or parts.valid, SHOWN, preprocessor.size, preprocessor.frames)
    clips = [clip for _, clip in some]
    captions = [picture.texts for picture, _ in some]
    texts = model.generate(clips)
    examples = []
    for text, references in zip(texts, captions, strict=True):
        right = text in preprocessor.normalize(list(references))
        references = [text] if right else references
        examples.append(common.format_example(text, references, "what is said of it"))
    pictures = {"pictures": run.folder / "pictures.png"}
    draw_caption_sheet([clip[0] for clip in clips], texts, captions, pictures["pictures"])
    longest = max(range(len(texts)), key=lambda i: len(texts[i]))
    with contextlib.suppress(UserError):  # a model that does not attend to regions or frames
        draw_attention(model, clips[longest], run.folder / "attention.png")
        pictures["attention"] = run.folder / "attention.png"
    file = common.quote_model(run)
    commands = [
        f"kerasseq caption {file} PICTURE.jpg",
        f"kerasseq info {file}",
        "kerasseq train captioning --train LIST.tsv    your own pictures",
    ]
    title = f"{len(texts)} pictures that it was not trained on"
    common.report(run, title, examples, scores, pictures, commands, say)


def draw_attention(
    model: Seq2Seq, clip: np.ndarray, path: str | Path, options: Options | None = None
) -> str:
    """Draws a picture once for every word of its caption, with the model's attention over it.

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
    words = [piece.lstrip(WORD_MARK) for piece in model.preprocessor.pieces(tokens, "target")]
    draw_overlay(clip, words, maps, path, best.text)
    return best.text
