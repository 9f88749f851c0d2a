"""What the commands on files of sound or pictures share."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kerasseq.errors import UserError
from kerasseq.printable import printable, printable_json


def add_files(add: argparse.ArgumentParser, files: str, batch_size: int) -> None:
    """Add the model, the files and what there is to say of many."""
    add.add_argument("model", metavar="MODEL", help="a .keras file, a run folder or a preset")
    add.add_argument("file", nargs="*", metavar="FILE", help=files)
    add.add_argument("--input", metavar="LIST", help="a path a line")
    add.add_argument("--batch-size", type=int, metavar="N", help=f"default: {batch_size}")
    add.set_defaults(usual_batch_size=batch_size)


def check(options: argparse.Namespace) -> None:
    """That there is something to read, and only one thing; and settle the size of batches.

    Raises:
        UserError: there is not.
    """
    if options.batch_size is None:
        options.batch_size = options.usual_batch_size
    if options.batch_size < 1:
        raise UserError(f"--batch-size must be at least 1, not {options.batch_size}.")
    if options.input and options.file:
        raise UserError("Give files or --input, not both.")
    if not options.input and not options.file:
        raise UserError("Give a file, a folder or --input LIST.")


def named(options: argparse.Namespace, endings: Sequence[str], what: str) -> tuple[list[str], int]:
    """The files that the options name, and the exit status, which is 1 if a line of the list is
    no path; what is left out is named on standard error."""
    from kerasseq.applications.common.files import files_in
    from kerasseq.cli.texts import TextLines

    paths: Iterable[str] = options.file
    status = 0
    if options.input:
        with contextlib.ExitStack() as stack:
            lines = TextLines(options.input, stack)
            paths = list(filter(None, map(str.strip, lines)))
            status = lines.tell()
    found = files_in(paths, endings, what)
    if note := found.note(what):
        print(printable(note + "."), file=sys.stderr)
    return found.files, status


def shown(found: Iterable[Any], files: int) -> Iterator[Any]:
    """What is found, with a line of progress on standard error unless it is shown there."""
    from tqdm import tqdm

    hidden = True if sys.stdout.isatty() or files < 2 else None
    yield from tqdm(found, total=files, unit=" files", disable=hidden)


def written(found: Iterable[Any], line: Callable[[Any], str]) -> int:
    """Print a line for each that was found, and name those that have an error; the exit status."""
    failed = []
    for one in found:
        if one.error:
            failed.append(one.error)
        print(line(one), flush=True)
    if failed:
        named = map(printable, failed[:5])
        print(f"{len(failed)} could not be read:", *named, sep="\n  ", file=sys.stderr)
    return 1 if failed else 0


def as_json(one: Any, **more: Any) -> str:
    """An object with the file, its text or error, and more that is known of it."""
    row = {"file": one.file, "text": one.text}
    return printable_json({**row, **({"error": one.error} if one.error else more)})
