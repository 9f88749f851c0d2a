"""`kerasseq attention`."""

import argparse
from typing import Any

from kerasseq.cli.options import add_model, load_reader


def add_command(commands: Any) -> None:
    """Adds `attention` to the command line."""
    about = "draw where the model looks"
    add = commands.add_parser("attention", help=about, description="Draw where the model looks.")
    add_model(add)
    add.add_argument("text", metavar="TEXT")
    add.add_argument("--target", metavar="TEXT", help="default: what the model writes")
    add.add_argument("--output", metavar="FILE", default="attention.png", help="a picture")
    add.set_defaults(run=_attention)


def _attention(options: argparse.Namespace) -> None:
    model = load_reader(options.model, "text")
    from kerasseq.drawing import draw_attention

    draw_attention(*model.attention(options.text, options.target), options.output)
    print(options.output)
