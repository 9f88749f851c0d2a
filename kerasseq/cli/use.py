"""Using a model that reads text: `generate` and `attention`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any

from kerasseq.cli import decoding
from kerasseq.cli.models import must_read
from kerasseq.cli.texts import TextLines
from kerasseq.errors import UserError
from kerasseq.printable import printable, printable_json

CHUNK = 2048
"""Lines that are read, generated from and written together."""


def add_commands(commands: Any) -> None:
    """Add the commands that write texts of texts to the command line."""
    add = _command(commands, "generate", _generate, "write a text for each text")
    add.add_argument("text", nargs="*", metavar="TEXT", help="default: the lines of --input")
    add.add_argument("--input", metavar="FILE", help="a text a line; - for standard input")
    add.add_argument("--output", metavar="FILE", help="default: standard output")
    add.add_argument("--json", action="store_true", help="an object a line, with scores")
    decoding.add(add, *(name for name in decoding.EVERY if name != "length_bonus"))
    add_together(add)

    add = _command(commands, "attention", _attention, "draw where the model looks")
    add.add_argument("text", metavar="TEXT")
    add.add_argument("--target", metavar="TEXT", help="default: what the model writes")
    add.add_argument("--output", metavar="FILE", default="attention.png", help="a picture")


def _command(commands: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    add = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    add.add_argument("model", metavar="MODEL", help="a .keras file, a run folder or a preset")
    add.set_defaults(run=run)
    return add


def add_together(add: argparse.ArgumentParser) -> None:
    """Add how a model writes all texts of a list."""
    add.add_argument("--prefix", metavar="TEXT", help="how every text begins")
    add.add_argument(
        "--with",
        dest="members",
        action="append",
        default=[],
        metavar="MODEL",
        help="a further member of an ensemble; can be given again",
    )
    add.add_argument("--batch-size", type=int, default=32, metavar="N")


class Writer:
    """A model, or an ensemble, with the options of a command line."""

    def __init__(self, options: argparse.Namespace, model: Any = None):
        from kerasseq import load

        if options.batch_size < 1:
            raise UserError(f"--batch-size must be at least 1, not {options.batch_size}.")
        if options.prefix is not None and not options.prefix.strip():
            raise UserError("--prefix has no text in it: give one or leave it out.")
        _must_differ([options.model, *options.members])
        self.model = model or load(options.model)
        must_read(self.model, options.model, "text")
        self.options = self.model.options(**decoding.given(options))
        self.more = {
            "with_models": [load(member) for member in options.members],
            "batch_size": options.batch_size,
        }
        self.prefix = options.prefix
        self.rows = 0

    def __call__(self, texts: list[str]) -> list[list]:
        """The hypotheses of each text; none for a text without anything in it."""
        full = [text for text in texts if text.strip()]
        prefixes = None if self.prefix is None else [self.prefix] * len(full)
        found = self.model.hypotheses(
            full, self.options, prefixes=prefixes, first_row=self.rows, **self.more
        )
        self.rows += len(full)
        rest = iter(found)
        return [next(rest) if text.strip() else [] for text in texts]


def _must_differ(names: Sequence[str]) -> None:
    """That an ensemble has each model once."""
    from kerasseq.presets import find_model

    paths = [find_model(name).resolve() for name in names]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise UserError(f"--with {names[place]} is in the ensemble already: leave it out.")


def _generate(options: argparse.Namespace) -> int:
    if options.text and options.input:
        raise UserError("Give texts or --input, not both.")
    if not options.text and not options.input and sys.stdin.isatty():
        raise UserError("Give a text, or --input FILE. --input - reads standard input.")
    write = Writer(options)
    with contextlib.ExitStack() as files:
        read = None if options.text else TextLines(options.input or "-", files)
        lines = iter(read or options.text)
        inputs = [options.input] if options.input else []
        output = files.enter_context(open_output(options.output, inputs))
        show = _Progress(options.output is not None and not options.text)
        while chunk := list(islice(lines, CHUNK)):
            for text, hypotheses in zip(chunk, write(chunk), strict=True):
                print(_line(text, hypotheses, options.json), file=output)
            output.flush()
            show(len(chunk))
    return read.tell() if read else 0


def _line(source: str, hypotheses: list, as_json: bool) -> str:
    if not as_json:
        return "\t".join(printable(one.text.replace("\t", " ")) for one in hypotheses)
    found = [{"text": one.text, "score": round(one.score, 4)} for one in hypotheses]
    first = found[0]["text"] if found else ""
    row = {"source": source, "text": first, "hypotheses": found}
    return printable_json(row)


def open_output(name: str | None, inputs: Sequence[str]) -> Any:
    """A file to write to, or standard output for None.

    Args:
        inputs: files that are read meanwhile.

    Raises:
        UserError: it cannot be written, or is read too.
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


class _Progress:
    """Lines done and lines a second, on standard error."""

    def __init__(self, shown: bool):
        from tqdm import tqdm

        self._bar = tqdm(unit=" lines", disable=None if shown else True)

    def __call__(self, lines: int) -> None:
        self._bar.update(lines)


def _attention(options: argparse.Namespace) -> None:
    from kerasseq import load
    from kerasseq.drawing.attention import attention_map

    model = load(options.model)
    must_read(model, options.model, "text")
    attention_map(*model.attention(options.text, options.target), options.output)
    print(options.output)
