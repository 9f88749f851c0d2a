"""What a training shows at its end."""

import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasseq.applications.common.parts import some_of
from kerasseq.data.pictures.captioned import CaptionedCorpus
from kerasseq.drawing import draw_caption_sheet, draw_overlay
from kerasseq.drawing.attention import WORD_MARK
from kerasseq.errors import UserError
from kerasseq.models import Options, Seq2Seq
from kerasseq.special_ids import END
from kerasseq.training import Run

SHOWN = 12


def report(
    model: Seq2Seq, corpus: CaptionedCorpus, run: Run, scores: dict, say: Callable[[str], None]
) -> None:
    """Say and draw what the model learned, and name the commands to go on with."""
    preprocessor = model.preprocessor
    found = some_of(corpus, SHOWN, preprocessor.size, preprocessor.frames)
    shown = [(clip, example.texts) for example, clip in found]
    clips = [clip for clip, _ in shown]
    texts = model.generate(clips)
    say(f"\n{len(texts)} pictures that it was not trained on")
    for text, (_, said) in zip(texts, shown, strict=True):
        right = text in preprocessor.normalize(list(said))
        say(f"  → {text}\n" + ("" if right else f"    what is said of it: {said[0]}\n"))
    if scores:
        say("Test part   " + "   ".join(f"{name} {value:.2f}" for name, value in scores.items()))
    made = {"model": run.model_path, "training curve": run.curves_path}
    made["pictures"] = run.folder / "pictures.png"
    draw_caption_sheet(
        [clip[0] for clip in clips], texts, [said for _, said in shown], made["pictures"]
    )
    longest = max(range(len(texts)), key=lambda i: len(texts[i]))
    with contextlib.suppress(UserError):  # a model that does not attend to regions or frames
        draw_attention(model, clips[longest], run.folder / "attention.png")
        made["attention"] = run.folder / "attention.png"
    for name, path in made.items():
        say(f"{name:<15} {path}")
    file = shlex.quote(str(run.model_path))
    say(
        "\nGo on with\n"
        f"  kerasseq caption {file} PICTURE.jpg\n"
        f"  kerasseq info {file}\n"
        "  kerasseq train captioning --train LIST.tsv    your own pictures"
    )


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
