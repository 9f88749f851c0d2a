"""What a training shows at its end."""

import contextlib
import shlex
from collections.abc import Callable

from kerasseq.applications.captioning.look import look
from kerasseq.applications.common.parts import some_of
from kerasseq.data.pictures.captioned import CaptionedCorpus
from kerasseq.drawing.sheet import sheet
from kerasseq.errors import UserError
from kerasseq.models import Seq2Seq
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
    sheet([clip[0] for clip in clips], texts, [said for _, said in shown], made["pictures"])
    longest = max(range(len(texts)), key=lambda i: len(texts[i]))
    with contextlib.suppress(UserError):  # a model that does not attend to regions or frames
        look(model, clips[longest], run.folder / "attention.png")
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
