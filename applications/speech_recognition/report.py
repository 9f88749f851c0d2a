"""What a training shows at its end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasseq.applications.common import report as common
from kerasseq.applications.common.parts import Parts, read_some
from kerasseq.drawing import draw_alignment
from kerasseq.models import Hypothesis, SequenceModel
from kerasseq.training import Run

SHOWN = 10


def report(
    model: SequenceModel, parts: Parts, run: Run, scores: dict, say: Callable[[str], None]
) -> None:
    """Says what the model learned, draws an alignment, and names the commands to go on with."""
    preprocessor = model.preprocessor
    recordings = read_some(parts.test or parts.valid, SHOWN, preprocessor.rate)
    longest = int(preprocessor.max_seconds * preprocessor.rate)
    sounds = [sound[:longest] for _, sound in recordings]
    best = [some[0] if some else Hypothesis("", 0.0, ()) for some in model.hypotheses(sounds)]
    texts = preprocessor.normalize([one.text for one in best])
    references = preprocessor.normalize([recording.text for recording, _ in recordings])
    examples = [
        common.format_example(text, [reference], "but what was said")
        for text, reference in zip(texts, references, strict=True)
    ]
    place = max(range(len(best)), key=lambda i: len(best[i].tokens))
    pictures = {}
    if best[place].tokens:
        pictures["alignment"] = run.folder / "alignment.png"
        draw(model, sounds[place], best[place], pictures["alignment"])
    file = common.quote_model(run)
    commands = [
        f"kerasseq transcribe {file} RECORDING.wav",
        f"kerasseq info {file}",
        "kerasseq train speech-recognition --train LIST.tsv    your own recordings",
    ]
    title = f"{len(texts)} recordings that it was not trained on"
    common.report(run, title, examples, scores, pictures, commands, say)


def draw(model: SequenceModel, sound: np.ndarray, hypothesis: Hypothesis, path: Path) -> None:
    """Draws where in a recording each unit of a hypothesis is."""
    weights = _cut_margin(model, model.alignment(sound, hypothesis))
    tokens = list(hypothesis.tokens)[: len(weights)]
    pieces = model.preprocessor.pieces(tokens, "target")
    rate = model.preprocessor.rate
    draw_alignment(sound, rate, pieces, weights, path, hypothesis.text)


def _cut_margin(model: SequenceModel, weights: np.ndarray) -> np.ndarray:
    """Returns weights (T, F) without the steps before and after a recording.

    A unit that is written there is drawn at the recording's first or last step.
    """
    steps = model.margin // model.factor
    if not steps:
        return weights
    inner = weights[:, steps:-steps].copy()
    for edge, outer in ((0, weights[:, :steps]), (-1, weights[:, -steps:])):
        inner[:, edge] = np.maximum(inner[:, edge], outer.max(axis=1))
    return inner
