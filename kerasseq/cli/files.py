"""What commands read and write: lists of texts or files, results, output files."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kerasseq.cli.options import add_model, check_batch_size
from kerasseq.data.files import check_file, open_file
from kerasseq.data.lists.lines import BadLine, stream_lines
from kerasseq.data.problems import Problems
from kerasseq.errors import UserError
from kerasseq.printable import dump_json, escape

# Pipes that the shell has opened already, as in `--input <(command)`.
_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


class TextLines:
    """The lines of a file, which may be gzipped, or of standard input for "-".

    A line that is not text becomes an empty line, so that all others keep their places.

    Args:
        name: the name of the file, which is opened at once.
        stack: closes the file.

    Attributes:
        problems: the lines so far that are not text.

    Raises:
        UserError: the file cannot be read.
    """

    def __init__(self, name: str, stack: contextlib.ExitStack):
        self.problems = Problems()
        self._name = name
        if name == "-":
            self._file = sys.stdin.buffer
            return
        if not name.startswith(_PIPES):
            check_file(name)
        self._file = stack.enter_context(open_file(name))

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(stream_lines(self._file), 1):
            if isinstance(line, BadLine):
                self.problems.add(self._name, number, line.kind)
                line = ""
            yield line

    def report(self) -> int:
        """Names what was left out on standard error, and returns the exit status."""
        if not self.problems:
            return 0
        print(self.problems, file=sys.stderr)
        return 1


def add_files(parser: argparse.ArgumentParser, files: str, batch_size: int) -> None:
    """Adds the arguments of a command that reads files of sound or pictures.

    Args:
        files: the help of the argument FILE.
        batch_size: the default of --batch-size.
    """
    add_model(parser)
    parser.add_argument("file", nargs="*", metavar="FILE", help=files)
    parser.add_argument("--input", metavar="LIST", help="a path a line")
    parser.add_argument("--batch-size", type=int, metavar="N", help=f"default: {batch_size}")
    parser.set_defaults(default_batch_size=batch_size)


def find_files(
    options: argparse.Namespace, endings: Sequence[str], what: str
) -> tuple[list[str], int]:
    """Finds the files that FILE or --input name, and settles --batch-size.

    What is left out of a folder is named on standard error.

    Args:
        endings: the endings of the files that are taken from folders.
        what: the name of such a file: "picture".

    Returns:
        The paths, and the exit status, which is 1 if a line of the list is not text.

    Raises:
        UserError: there is nothing to read, or two things, or a folder without such files, or no
            file exists.
    """
    from kerasseq.applications.common.files import expand_folders

    if options.batch_size is None:
        options.batch_size = options.default_batch_size
    check_batch_size(options)
    if options.input and options.file:
        raise UserError("Give files or --input, not both.")
    if not options.input and not options.file:
        raise UserError("Give a file, a folder or --input LIST.")
    paths: Iterable[str] = options.file
    status = 0
    if options.input:
        with contextlib.ExitStack() as stack:
            lines = TextLines(options.input, stack)
            paths = list(filter(None, map(str.strip, lines)))
            status = lines.report()
    found = expand_folders(paths, endings, what)
    if note := found.describe_left_out(what):
        print(escape(note + "."), file=sys.stderr)
    if found.files and not any(map(os.path.exists, found.files)):
        others = f", nor does any other of the {len(found.files)} files" * (len(found.files) > 1)
        raise UserError(f"{found.files[0]} does not exist{others}.")
    return found.files, status


def print_results(results: Iterable[Any], files: int, line: Callable[[Any], str]) -> int:
    """Prints a line for the result of each file, and names the files that have an error.

    Progress is shown on standard error, unless the lines themselves are seen there.

    Args:
        files: the number of results.
        line: makes the line of a result.

    Returns:
        The exit status.
    """
    from tqdm import tqdm

    hidden = True if sys.stdout.isatty() or files < 2 else None
    errors = []
    for result in tqdm(results, total=files, unit=" files", disable=hidden):
        if result.error:
            errors.append(result.error)
        print(line(result), flush=True)
    if errors:
        first = map(escape, errors[:5])
        print(f"{len(errors)} could not be read:", *first, sep="\n  ", file=sys.stderr)
    return 1 if errors else 0


def result_to_json(result: Any, **more: Any) -> str:
    """Returns the JSON object of a file, with its text or error, and `more` of its text."""
    row = {"file": result.file, "text": result.text}
    return dump_json({**row, **({"error": result.error} if result.error else more)})


def open_output(name: str | None, inputs: Sequence[str]) -> Any:
    """Opens a file to write to, or standard output for None.

    Args:
        inputs: the files that are read meanwhile.

    Raises:
        UserError: the file cannot be written, or is read too.
    """
    if name is None:
        return contextlib.nullcontext(sys.stdout)
    try:
        if os.path.exists(name) and any(
            os.path.exists(file) and os.path.samefile(file, name) for file in inputs
        ):
            raise UserError(f"{name} is read too: choose another file for --output.")
        return open(name, "w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name} cannot be written: {error.strerror}.") from None
