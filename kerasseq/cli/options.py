"""Options that several commands have, and the models that they name."""

import argparse
from collections.abc import Sequence
from typing import Any

from kerasseq.errors import UserError
from kerasseq.presets import find_model

# The arguments of argparse for each option of decoding.
_DECODING: dict[str, dict[str, Any]] = {
    "beam": {"type": int, "metavar": "WIDTH", "help": "1: greedy"},
    "n_best": {"type": int, "metavar": "N", "help": "tab-separated if not JSON"},
    "length_penalty": {"type": float, "metavar": "ALPHA"},
    "coverage_penalty": {"type": float, "metavar": "BETA"},
    "sample": {"action": "store_true", "help": "draw at random"},
    "temperature": {"type": float},
    "top_k": {"type": int, "metavar": "K"},
    "top_p": {"type": float, "metavar": "P"},
    "seed": {"type": int},
    "min_length": {"type": int, "metavar": "TOKENS"},
    "max_length": {"type": int, "metavar": "TOKENS"},
    "no_repeat": {"type": int, "metavar": "N", "help": "no n-gram comes twice"},
    "precision": {
        "choices": ["bfloat16"],
        "help": "of the product over the vocabulary; faster on JAX",
    },
    "lm_weight": {"type": float, "metavar": "W", "help": "of its language model; 0: none"},
    "ctc_weight": {"type": float, "metavar": "W", "help": "of hybrid models"},
    "length_bonus": {"type": float, "metavar": "NATS", "help": "for each unit"},
}
DECODING = tuple(_DECODING)
"""The names of all options of decoding."""

_COMMANDS = {"text": "generate", "sound": "transcribe", "picture": "caption"}


def spell_option(name: str) -> str:
    """Returns the name of an option as it is written on the command line."""
    return f"--{name.replace('_', '-')}"


def add_model(parser: argparse.ArgumentParser) -> None:
    """Adds the argument MODEL."""
    parser.add_argument("model", metavar="MODEL", help="a .keras file, a run folder or a preset")


def add_decoding(parser: argparse.ArgumentParser, *names: str) -> None:
    """Adds options of decoding. An option that is not given leaves no attribute behind."""
    about = "by default as the model was measured: see `kerasseq info`"
    group = parser.add_argument_group("decoding", about)
    for name in names:
        group.add_argument(spell_option(name), default=argparse.SUPPRESS, **_DECODING[name])


def collect_decoding(options: argparse.Namespace) -> dict[str, Any]:
    """Returns the options of decoding that were given, by their names."""
    return {name: getattr(options, name) for name in _DECODING if hasattr(options, name)}


def add_ensemble(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `load_ensemble`."""
    parser.add_argument("--prefix", metavar="TEXT", help="how every text begins")
    parser.add_argument(
        "--with",
        dest="members",
        action="append",
        default=[],
        metavar="MODEL",
        help="a further member of an ensemble; can be given again",
    )
    parser.add_argument("--batch-size", type=int, default=32, metavar="N")


def check_batch_size(options: argparse.Namespace) -> None:
    """Raises a UserError unless --batch-size is positive."""
    if options.batch_size < 1:
        raise UserError(f"--batch-size must be at least 1, not {options.batch_size}.")


def load_reader(name: str, kind: str) -> Any:
    """Loads a model that reads "text", "sound" or "picture".

    Raises:
        UserError: it cannot be loaded, or reads something else.
    """
    find_model(name)
    # Here, since it brings Keras, which takes seconds.
    from kerasseq import load

    model = load(name)
    reads = model.preprocessor.reads
    if reads != kind:
        raise UserError(f"{name} reads {reads}, not {kind}: use `kerasseq {_COMMANDS[reads]}`.")
    return model


def load_ensemble(options: argparse.Namespace, model: Any = None) -> tuple[Any, dict[str, Any]]:
    """Loads a model that reads text, and the further members of its ensemble.

    Args:
        options: with MODEL, --with, --prefix, --batch-size and the options of decoding.
        model: the model, if it is loaded already.

    Returns:
        The model, and the arguments of `translate` that the options stand for.

    Raises:
        UserError: an option is wrong, or a model cannot be loaded.
    """
    check_batch_size(options)
    if options.prefix is not None and not options.prefix.strip():
        raise UserError("--prefix has no text in it: give one or leave it out.")
    _check_members([options.model, *options.members])
    from kerasseq import load

    model = model or load_reader(options.model, "text")
    return model, {
        "options": model.options(**collect_decoding(options)),
        "prefix": options.prefix,
        "with_models": [load(member) for member in options.members],
        "batch_size": options.batch_size,
    }


def _check_members(names: Sequence[str]) -> None:
    """Raises a UserError if an ensemble has a model twice."""
    paths = [find_model(name).resolve() for name in names]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise UserError(f"--with {names[place]} is in the ensemble already: leave it out.")
