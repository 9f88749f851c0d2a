"""The command `kerasseq`."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from kerasseq.cli.options import spell_option
from kerasseq.errors import OptionError, UserError
from kerasseq.printable import escape, escape_lines

# In the order of `kerasseq --help`; each is a module of this package.
COMMANDS = (
    "train",
    "tune",
    "generate",
    "attention",
    "transcribe",
    "caption",
    "evaluate",
    "calibrate",
    "info",
    "compact",
    "inspect",
    "datasets",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns the exit status."""
    options = _parse(arguments)
    try:
        status = options.run(options)
    except UserError as error:
        sentence = error.spell(spell_option) if isinstance(error, OptionError) else error
        print(f"kerasseq: {escape_lines(sentence)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        # A training that was interrupted says what it saved.
        print(f"kerasseq: {str(error) or 'interrupted'}", file=sys.stderr)
        return getattr(error, "code", 130)
    except BrokenPipeError:
        # The reader of our output has what it wanted; say nothing, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"kerasseq: {escape(where)}{error.strerror or error}", file=sys.stderr)
        return 2
    return status or 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses a command line.

    Texts and files may stand behind options too, where argparse leaves them over.
    """
    top = make_parser()
    options, rest = top.parse_known_args(arguments)
    cut = rest.index("--") if "--" in rest else len(rest)
    texts, literal = rest[:cut], rest[cut + 1 :]
    # As argparse has it, what begins with a dash is an option unless there is a space in it.
    unknown = [text for text in texts if text.startswith("-") and " " not in text]
    takes_many = [
        name for name in ("text", "file") if isinstance(getattr(options, name, None), list)
    ]
    if rest and (unknown or not takes_many):
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        setattr(options, takes_many[0], getattr(options, takes_many[0]) + texts + literal)
    for name, value in vars(options).items():
        # Mostly a variable of the shell that is not set.
        if value == "" or (
            name not in ("text", "prefix") and isinstance(value, list) and "" in value
        ):
            top.error(f"{name.replace('_', '-')} is empty: leave it out, or say what it is")
    return options


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="kerasseq", description="Sequence-to-sequence learning with Keras 3."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"kerasseq.cli.{name}").add_command(commands)
    return top
