"""What a training shows at its end."""

import shlex
from collections.abc import Callable
from itertools import islice

import numpy as np

from kerasseq.applications.translation.preprocessing import Parts
from kerasseq.drawing import draw_attention
from kerasseq.errors import UserError
from kerasseq.models import Seq2Seq
from kerasseq.presets import list_presets
from kerasseq.training import Run

SHOWN = 10

# What a preset may be tried on.
_SENTENCES = {
    "en": "A man is riding a bicycle down the street.",
    "de": "Ein Mann fährt mit dem Fahrrad die Straße entlang.",
}


def _crossings(weights: np.ndarray) -> int:
    """Pairs of target pieces whose places in the source stand in the other order."""
    places = weights.argmax(axis=1)
    return int(np.triu(places[:, None] > places[None, :]).sum())


def _quoted(text: str) -> str:
    """A text as the last argument of a shell command."""
    return ("-- " if text.startswith("-") else "") + shlex.quote(text)


def report(
    model: Seq2Seq, parts: Parts, run: Run, scores: dict, say: Callable[[str], None]
) -> None:
    """Say what the model learned, draw where it looks, and name the commands to go on with."""
    pairs = list(islice(parts.test or parts.valid, 20 * SHOWN))
    pairs = pairs[:: max(1, len(pairs) // SHOWN)][:SHOWN]
    sources = [source for source, _ in pairs]
    texts = model.generate(sources)
    what = "unseen" if parts.test else "validation"
    say(f"\n{len(pairs)} {what} texts")
    references = model.preprocessor.normalize([reference for _, reference in pairs])
    for source, reference, text in zip(sources, references, texts, strict=True):
        verdict = "" if text == reference else f"    but the reference: {reference}\n"
        say(f"  {source}\n  → {text}\n{verdict}")
    if scores:
        say("Test part   " + "   ".join(f"{name} {value:.2f}" for name, value in scores.items()))
    example = sources[0]
    made = {"model": run.model_path, "training curve": run.curves_path}
    try:
        maps = {
            source: model.attention(source, text)
            for source, text in zip(sources, texts, strict=True)
        }
        example = max(maps, key=lambda source: _crossings(maps[source][2]))
        path = run.folder / "attention.png"
        draw_attention(*maps[example], path)
        made["attention map"] = path
    except UserError:  # a model without attention has no map
        pass
    for name, path in made.items():
        say(f"{name:<15} {path}")
    file = shlex.quote(str(run.model_path))
    commands = [f"kerasseq generate {file} {_quoted(sources[0])}"]
    if "attention map" in made:
        commands.append(f"kerasseq attention {file} --output map.png {_quoted(example)}")
    commands.append(f"kerasseq info {file}")
    preset = f"multi30k-{model.card['source']}-{model.card['target']}"
    if preset in list_presets() and model.card["source"] in _SENTENCES:
        commands.append(f'kerasseq generate {preset} "{_SENTENCES[model.card["source"]]}"')
    commands.append(
        "kerasseq train translation --train SOURCE.txt TARGET.txt    your own sentence pairs"
    )
    say("\n  ".join(["\nGo on with", *commands]))
