"""`kerasseq compact`."""

import argparse
from typing import Any

from kerasseq.cli.options import add_model


def add_command(commands: Any) -> None:
    """Adds `compact` to the command line."""
    add = commands.add_parser("compact", help="a model in half the bytes, with weights of 16 bits")
    add_model(add)
    add.add_argument("output", metavar="OUTPUT", help="the .keras file to write")
    add.set_defaults(run=_compact)


def _compact(options: argparse.Namespace) -> None:
    from kerasseq.errors import UserError
    from kerasseq.models import compact
    from kerasseq.presets import find_model

    if not options.output.endswith(".keras"):
        raise UserError(f"{options.output}: the name of a model must end in .keras")
    path = find_model(options.model)
    before = path.stat().st_size
    compact(path, options.output)
    after = find_model(options.output).stat().st_size
    print(f"{options.output}  {after:,} bytes of {before:,}")
