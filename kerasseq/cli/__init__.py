"""The command `kerasseq`."""

import argparse
import os
import sys
from collections.abc import Sequence

from kerasseq.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(f"kerasseq: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        # A training that was interrupted says what it saved.
        print(f"kerasseq: {str(error) or 'interrupted'}", file=sys.stderr)
        return getattr(error, "code", 130)
    except BrokenPipeError:
        # The reader of our output has what it wanted; say nothing, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    from kerasseq.cli import data, train, use

    top = argparse.ArgumentParser(
        prog="kerasseq", description="Sequence-to-sequence learning with Keras 3."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for module in (train, use, data):
        module.add_commands(commands)
    return top
