"""The command `kerasseq`."""

import argparse
import os
import sys
from collections.abc import Sequence

from kerasseq.cli.decoding import spelt
from kerasseq.errors import OptionError, UserError
from kerasseq.printable import printable, printable_lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    options = _parsed(arguments)
    try:
        status = options.run(options)
    except UserError as error:
        sentence = error.spelt(spelt) if isinstance(error, OptionError) else error
        print(f"kerasseq: {printable_lines(sentence)}", file=sys.stderr)
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
        print(f"kerasseq: {printable(where)}{error.strerror or error}", file=sys.stderr)
        return 2
    return status or 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; what a command takes any number of may stand behind options too, where argparse
    leaves it over."""
    top = parser()
    options, rest = top.parse_known_args(arguments)
    cut = rest.index("--") if "--" in rest else len(rest)
    texts, literal = rest[:cut], rest[cut + 1 :]
    # As argparse has it, what begins with a dash is an option unless there is a space in it.
    odd = [text for text in texts if text.startswith("-") and " " not in text]
    many = [name for name in ("text", "file") if isinstance(getattr(options, name, None), list)]
    if rest and (odd or not many):
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        setattr(options, many[0], getattr(options, many[0]) + texts + literal)
    for name, value in vars(options).items():
        # Mostly a variable of the shell that is not set.
        if value == "" or (
            name not in ("text", "prefix") and isinstance(value, list) and "" in value
        ):
            top.error(f"{name.replace('_', '-')} is empty: leave it out, or say what it is")
    return options


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    from kerasseq.cli import compact, evaluate, info, pictures, speech, train, use
    from kerasseq.cli import datasets as data

    top = argparse.ArgumentParser(
        prog="kerasseq", description="Sequence-to-sequence learning with Keras 3."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for module in (train, use, speech, pictures, evaluate, info, compact, data):
        module.add_commands(commands)
    return top
