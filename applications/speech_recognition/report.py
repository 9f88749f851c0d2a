"""What a training shows at its end."""

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasseq.applications.common.parts import some_of
from kerasseq.data import SoundCorpus
from kerasseq.drawing import draw_alignment
from kerasseq.models import Hypothesis, SequenceModel
from kerasseq.training import Run

SHOWN = 10


def report(
    model: SequenceModel,
    corpus: SoundCorpus,
    run: Run,
    scores: dict,
    say: Callable[[str], None],
) -> None:
    """Say what the model learned, and name the commands to go on with."""
    preprocessor = model.preprocessor
    shown = some_of(corpus, SHOWN, preprocessor.rate)
    most = int(preprocessor.max_seconds * preprocessor.rate)
    sounds = [sound[:most] for _, sound in shown]
    found = [some[0] if some else Hypothesis("", 0.0, ()) for some in model.hypotheses(sounds)]
    texts = preprocessor.normalize([one.text for one in found])
    said_in = preprocessor.normalize([recording.text for recording, _ in shown])
    say(f"\n{len(shown)} recordings that it was not trained on")
    for said, text in zip(said_in, texts, strict=True):
        verdict = "" if text == said else f"    but what was said: {said}\n"
        say(f"  → {text}\n{verdict}")
    if scores:
        say("Test part   " + "   ".join(f"{name} {value:.2f}" for name, value in scores.items()))
    made = {"model": run.model_path, "training curve": run.curves_path}
    longest = max(range(len(found)), key=lambda i: len(found[i].tokens))
    if found[longest].tokens:
        path = run.folder / "alignment.png"
        draw(model, sounds[longest], found[longest], path)
        made["alignment"] = path
    for name, path in made.items():
        say(f"{name:<15} {path}")
    file = shlex.quote(str(run.model_path))
    say(
        "\nGo on with\n"
        f"  kerasseq transcribe {file} RECORDING.wav\n"
        f"  kerasseq info {file}\n"
        "  kerasseq train speech-recognition --train LIST.tsv    your own recordings"
    )


def draw(model: SequenceModel, sound: np.ndarray, hypothesis: Hypothesis, path: Path) -> None:
    """Draw where in a recording each unit of a hypothesis was heard."""
    weights = model.alignment(sound, hypothesis)
    tokens = list(hypothesis.tokens)[: len(weights)]
    pieces = model.preprocessor.pieces(tokens, "target")
    rate = model.preprocessor.rate
    draw_alignment(sound, rate, pieces, weights, path, hypothesis.text)
