"""`kerasseq caption`."""

import argparse
from typing import Any

from kerasseq.cli.files import add_files, find_files, print_results, result_to_json
from kerasseq.cli.options import add_decoding, collect_decoding, load_reader
from kerasseq.errors import UserError
from kerasseq.printable import escape


def add_command(commands: Any) -> None:
    """Adds `caption` to the command line."""
    add = commands.add_parser(
        "caption",
        help="write what is in pictures or clips",
        description="Write what is in pictures or clips, a line for each file. Files that cannot "
        "be read are named at the end.",
    )
    add_files(add, "a picture, a clip, or a folder of such", 32)
    add.add_argument("--json", action="store_true", help="an object a line")
    add.add_argument(
        "--attention", metavar="PICTURE", help="of one file: draw where the model looks, as .png"
    )
    add_decoding(add, "beam")
    add.set_defaults(run=_caption)


def _caption(options: argparse.Namespace) -> int:
    from kerasseq.media.endings import PICTURES, VIDEOS

    files, status = find_files(options, PICTURES + VIDEOS, "picture")
    if options.attention and len(files) != 1:
        raise UserError(f"--attention is for one picture, and these are {len(files)}.")
    model = load_reader(options.model, "picture")
    from kerasseq.applications.captioning.report import draw_attention
    from kerasseq.applications.captioning.use import caption, read_clip

    how = model.options(**collect_decoding(options))
    captions = caption(model, files, how, batch_size=options.batch_size)
    line = result_to_json if options.json else lambda one: escape(one.text)
    status = print_results(captions, len(files), line) or status
    if options.attention and not status:
        draw_attention(model, read_clip(model, files[0]), options.attention, how)
    return status
