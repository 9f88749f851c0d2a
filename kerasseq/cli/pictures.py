"""`kerasseq caption`, and `kerasseq evaluate` of models that see."""

import argparse
from collections.abc import Callable
from typing import Any

from kerasseq.cli import decoding, files
from kerasseq.cli.models import measured, must_read, test_part
from kerasseq.errors import UserError
from kerasseq.printable import printable, printable_json


def add_commands(commands: Any) -> None:
    """Add `caption` to the command line."""
    add = commands.add_parser(
        "caption",
        help="write what is in pictures or clips",
        description="Write what is in pictures or clips, a line for each file. Files that cannot "
        "be read are named at the end.",
    )
    files.add_files(add, "a picture, a clip, or a folder of such", 32)
    add.add_argument("--json", action="store_true", help="an object a line")
    add.add_argument(
        "--attention", metavar="PICTURE", help="of one file: draw where the model looks, as .png"
    )
    decoding.add(add, "beam")
    add.set_defaults(run=_caption)


def evaluate(model: Any, options: argparse.Namespace, output: Callable) -> int:
    """The scores of a model's captions of pictures of which one knows what is said.

    Args:
        output: opens a file to write to, given its name and those that are read.

    Returns:
        The exit status: 1 if some were left out.
    """
    from kerasseq.applications.captioning.evaluation import evaluate as evaluated
    from kerasseq.data import PictureCorpus
    from kerasseq.data.public import datasets

    corpus = test_part(options, datasets.pictures, PictureCorpus)
    how = model.options(**decoding.given(options))
    size = options.batch_size
    found = measured(
        options, output, "pictures", lambda done: evaluated(model, corpus, how, size, done)
    )
    status = 1 if len(found.problems) else 0
    if options.json:
        scores = {score.name: score.value for score in found.scores}
        row = {"pictures": len(found.texts), "took": round(found.took, 2), "scores": scores}
        print(printable_json(row))
        return status
    rate = len(found.texts) / found.took
    print(f"{len(found.texts):,} pictures in {found.took:.1f} s, {rate:.0f} a second")
    print(*found.scores, sep="\n")
    return status


def _caption(options: argparse.Namespace) -> int:
    files.check(options)
    from kerasseq import load
    from kerasseq.applications.captioning.use import caption
    from kerasseq.media.endings import PICTURES, VIDEOS

    paths, left_out = files.named(options, PICTURES + VIDEOS, "picture")
    if options.attention and len(paths) != 1:
        raise UserError(f"--attention is for one picture, and these are {len(paths)}.")
    model = load(options.model)
    must_read(model, options.model, "picture")
    how = model.options(**decoding.given(options))
    found = caption(model, paths, how, batch_size=options.batch_size)
    line = files.as_json if options.json else lambda one: printable(one.text)
    status = files.written(files.shown(found, len(paths)), line) or left_out
    if options.attention and not status:
        from kerasseq.applications.captioning.look import look
        from kerasseq.media.picture import read_picture

        preprocessor = model.preprocessor
        clip = read_picture(paths[0], preprocessor.size, preprocessor.frames)
        look(model, clip, options.attention, how)
    return status
