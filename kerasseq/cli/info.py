"""`kerasseq info`."""

import argparse
from pathlib import Path
from typing import Any

from kerasseq.cli.options import add_model
from kerasseq.printable import dump_json, escape

# The parts by which models of one class differ.
_PARTS = ("encoder", "decoder")


def add_command(commands: Any) -> None:
    """Adds `info` to the command line."""
    add = commands.add_parser("info", help="what a model is and was made from")
    add_model(add)
    add.add_argument("--json", action="store_true")
    add.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> None:
    from kerasseq import load
    from kerasseq.presets import find_model

    path = find_model(options.model)
    facts = _collect_facts(path, load(path))
    if options.json:
        print(dump_json(facts, indent=2))
        return
    for key, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {_format(item)}" for name, item in value.items())
        print(f"{escape(key):<12} {escape(_format(value))}")


def _collect_facts(path: Path, model: Any) -> dict:
    """Returns what the file of a model shows, then what the model's card adds."""
    vocabularies = model.preprocessor.vocabularies
    facts = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "parameters": model.count_params(),
        "model": type(model).__name__,
        **{part: _name_part(getattr(model, part)) for part in model.parts if part in _PARTS},
        "vocabulary": {side: vocabularies[side]["size"] for side in vocabularies},
    }
    return {**facts, **{key: value for key, value in model.card.items() if key not in facts}}


def _name_part(part: Any) -> str:
    """Returns the class of a part, or the classes of the layers of a chain."""
    layers = getattr(part, "layers", None) if type(part).__name__ == "Chain" else None
    return " > ".join(type(layer).__name__ for layer in layers or [part])


def _format(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if whole else str(value)
