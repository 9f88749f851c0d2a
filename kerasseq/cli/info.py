"""The command `info`: what a model is and was made from."""

import argparse
from pathlib import Path
from typing import Any

from kerasseq.printable import printable, printable_json

# Of a model's parts those that tell models of one class apart.
_SHOWN = ("encoder", "decoder")


def add_commands(commands: Any) -> None:
    """Add the command to the command line."""
    add = commands.add_parser("info", help="what a model is and was made from")
    add.add_argument("model", metavar="MODEL", help="a .keras file, a run folder or a preset")
    add.add_argument("--json", action="store_true")
    add.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> None:
    from kerasseq import load
    from kerasseq.presets import find_model

    path = find_model(options.model)
    facts = _facts(path, load(path))
    if options.json:
        print(printable_json(facts, indent=2))
        return
    for key, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {_figure(item)}" for name, item in value.items())
        print(f"{printable(key):<12} {printable(_figure(value))}")


def _facts(path: Path, model: Any) -> dict:
    """What is known of a model: first what was found, then what its card says of the rest."""
    vocabularies = model.preprocessor.vocabularies
    found = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "parameters": model.count_params(),
        "model": type(model).__name__,
        **{part: _kind(getattr(model, part)) for part in model.parts if part in _SHOWN},
        "vocabulary": {side: vocabularies[side]["size"] for side in vocabularies},
    }
    return {**found, **{key: value for key, value in model.card.items() if key not in found}}


def _kind(part: Any) -> str:
    """The class of a part, or those of the layers of a chain."""
    layers = getattr(part, "layers", None) if type(part).__name__ == "Chain" else None
    return " > ".join(type(layer).__name__ for layer in layers or [part])


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if whole else str(value)
