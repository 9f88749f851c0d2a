"""`kerasseq inspect`."""

import argparse
import sys
from collections.abc import Iterable
from typing import Any

from kerasseq.errors import UserError
from kerasseq.printable import dump_json, escape_lines


def add_command(commands: Any) -> None:
    """Adds `inspect` to the command line."""
    add = commands.add_parser(
        "inspect",
        help="what is in data, and what is wrong with it",
        description="Say what is in data that `kerasseq train` takes, and what is wrong with it.",
    )
    add.add_argument("file", nargs="*", metavar="FILE", help="as for `kerasseq train HEAD --train`")
    add.add_argument("--valid", nargs="+", metavar="FILE")
    add.add_argument("--test", nargs="+", metavar="FILE")
    add.add_argument("--dataset", metavar="NAME", help="see `kerasseq datasets`")
    add.add_argument("--data-dir", metavar="DIR", help="where data sets are; or KERASSEQ_DATA")
    add.add_argument("--images", metavar="DIR", help="where lists have their pictures")
    add.add_argument("--source", metavar="LANGUAGE")
    add.add_argument("--target", metavar="LANGUAGE")
    add.add_argument(
        "--head",
        choices=("translation", "speech-recognition", "captioning"),
        help="what the files are for; by default their contents tell",
    )
    add.add_argument("--json", action="store_true", help="one object with all of it")
    add.add_argument("--output", metavar="FILE.png", help="draw the lengths and the words too")
    add.set_defaults(run=_inspect)


def _inspect(options: argparse.Namespace) -> None:
    from kerasseq.data.inspection.corpora import open_dataset, open_files
    from kerasseq.data.inspection.lines import describe
    from kerasseq.data.inspection.report import inspect, to_dict

    _check(options)
    if options.output:  # at once, since the rest can take minutes
        from kerasseq.drawing.figures import check_path

        check_path(options.output)
    if options.dataset:
        opened = open_dataset(options.dataset, options.data_dir, options.source, options.target)
    else:
        files = {"train": options.file, "valid": options.valid, "test": options.test}
        opened = open_files(
            {part: some for part, some in files.items() if some},
            options.head,
            options.images,
            (options.source or "", options.target or ""),
        )
    result = inspect(opened.kind, opened.name, opened.parts, _show_progress, opened.errors)
    if options.json:
        print(dump_json(to_dict(result), indent=2))
    else:
        for line in describe(result):
            print(escape_lines(line))
    if options.output:
        from kerasseq.drawing.survey import draw_survey

        draw_survey(result.surveys, options.output, opened.name)


def _check(options: argparse.Namespace) -> None:
    """Raises a UserError if options exclude each other."""
    if bool(options.file) == bool(options.dataset):
        raise UserError("Name files or a data set (--dataset), one of them.")
    if options.dataset:
        for name in ("valid", "test", "images", "head"):
            if getattr(options, name):
                raise UserError(f"--{name} is for files: leave it out, or leave out --dataset.")
    elif options.data_dir:
        raise UserError("--data-dir is where data sets are: name one with --dataset, or leave it.")


def _show_progress(items: Iterable, total: int, unit: str) -> Iterable:
    from tqdm import tqdm

    hidden = None if total > 100 else True
    return tqdm(items, total=total, unit=f" {unit}", disable=hidden, file=sys.stderr, leave=False)
