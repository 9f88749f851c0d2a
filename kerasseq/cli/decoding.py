"""The options of decoding on the command line."""

import argparse
from typing import Any

# By the name of each what argparse is told.
_OPTIONS: dict[str, dict[str, Any]] = {
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
EVERY = tuple(_OPTIONS)


def add(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add options of decoding. Who does not give one leaves no trace of it."""
    about = "by default as the model was measured: see `kerasseq info`"
    how = parser.add_argument_group("decoding", about)
    for name in names:
        how.add_argument(spelt(name), default=argparse.SUPPRESS, **_OPTIONS[name])


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Those that were given, by their names."""
    return {name: getattr(options, name) for name in _OPTIONS if hasattr(options, name)}


def spelt(name: str) -> str:
    """The name of an option as it is written on the command line."""
    return f"--{name.replace('_', '-')}"
