"""`kerasseq tune HEAD`."""

import argparse
from typing import Any

from kerasseq.cli.train import add_heads, find_settings
from kerasseq.errors import UserError


def add_command(commands: Any) -> None:
    """Adds `tune` to the command line."""
    tune = commands.add_parser(
        "tune", help="search for better settings of a model on your own data"
    )
    add_heads(tune, "Search for the settings of", _tune, _add_search)


def _add_search(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a search."""
    search = parser.add_argument_group("search", "what --set names stays as it is")
    search.add_argument("--trials", type=int, metavar="N", help="default: 20")
    search.add_argument("--minutes", type=float, metavar="M", help="the longest time of a trial")
    search.add_argument("--output", metavar="DIR", help="default: runs/tune-HEAD")
    search.add_argument(
        "--resume",
        action="store_true",
        help="go on with an interrupted search, or help a process that is at it",
    )


def _tune(options: argparse.Namespace) -> None:
    """Searches for settings of the head of the options `head`."""
    if options.trials is not None and options.trials < 1:
        raise UserError(f"--trials must be at least 1, not {options.trials}.")
    if options.minutes is not None and not 0 < options.minutes < float("inf"):
        raise UserError(f"--minutes must be a number above 0, not {options.minutes:g}.")
    head, settings = find_settings(options)
    # Usage errors come at once: only the training itself brings Keras, which takes seconds.
    plan = head.plan(*settings)
    print(*plan.lines, sep="\n", end="\n" * bool(plan.lines), flush=True)
    parts = plan.parts or head.read_parts(plan.config.data, options.data_dir)
    head.tune(
        *settings,
        output=options.output or f"runs/tune-{options.head}",
        trials=options.trials,
        minutes=options.minutes,
        resume=options.resume,
        parts=parts,
    )
