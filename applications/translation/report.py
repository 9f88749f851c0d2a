"""What a training shows at its end."""

import contextlib
import shlex
from collections.abc import Callable
from itertools import islice

import numpy as np

from kerasseq.applications.common import report as common
from kerasseq.applications.common.parts import Parts
from kerasseq.drawing import draw_attention
from kerasseq.errors import UserError
from kerasseq.models import Seq2Seq
from kerasseq.presets import list_presets
from kerasseq.training import Run

SHOWN = 10

# Sentences for the preset of a direction.
_SENTENCES = {
    "en": "A man is riding a bicycle down the street.",
    "de": "Ein Mann fährt mit dem Fahrrad die Straße entlang.",
}


def report(
    model: Seq2Seq, parts: Parts, run: Run, scores: dict, say: Callable[[str], None]
) -> None:
    """Says what the model learned, draws where it looks, and names the commands to go on with."""
    pairs = list(islice(parts.test or parts.valid, 20 * SHOWN))
    pairs = pairs[:: max(1, len(pairs) // SHOWN)][:SHOWN]
    sources = [source for source, _ in pairs]
    texts = model.generate(sources)
    references = model.preprocessor.normalize([reference for _, reference in pairs])
    examples = [
        f"  {source}\n" + common.format_example(text, [reference], "but the reference")
        for source, reference, text in zip(sources, references, texts, strict=True)
    ]
    file = common.quote_model(run)
    commands = [f"kerasseq generate {file} {_quote_argument(sources[0])}"]
    pictures = {}
    with contextlib.suppress(UserError):  # a model without attention has no map
        maps = {
            source: model.attention(source, text)
            for source, text in zip(sources, texts, strict=True)
        }
        example = max(maps, key=lambda source: _count_crossings(maps[source][2]))
        pictures["attention map"] = run.folder / "attention.png"
        draw_attention(*maps[example], pictures["attention map"])
        commands.append(f"kerasseq attention {file} --output map.png {_quote_argument(example)}")
    commands.append(f"kerasseq info {file}")
    preset = f"multi30k-{model.card['source']}-{model.card['target']}"
    if preset in list_presets() and model.card["source"] in _SENTENCES:
        commands.append(f'kerasseq generate {preset} "{_SENTENCES[model.card["source"]]}"')
    commands.append(
        "kerasseq train translation --train SOURCE.txt TARGET.txt    your own sentence pairs"
    )
    title = f"{len(pairs)} {'unseen' if parts.test else 'validation'} texts"
    common.report(run, title, examples, scores, pictures, commands, say)


def _count_crossings(weights: np.ndarray) -> int:
    """Counts the pairs of target pieces whose places in the source are in the other order."""
    places = weights.argmax(axis=1)
    return int(np.triu(places[:, None] > places[None, :]).sum())


def _quote_argument(text: str) -> str:
    """Quotes a text as the last argument of a shell command."""
    return ("-- " if text.startswith("-") else "") + shlex.quote(text)
