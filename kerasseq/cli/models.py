"""What the commands ask of a model and of the options of its search."""

import argparse
from typing import Any

from kerasseq.errors import UserError

_COMMANDS = {"text": "generate", "sound": "transcribe", "picture": "caption"}


def must_read(model: Any, name: str, kind: str) -> None:
    """That a model reads "text", "sound" or "picture".

    Args:
        name: of the model, for the error.

    Raises:
        UserError: it reads something else.
    """
    reads = model.preprocessor.reads
    if reads != kind:
        raise UserError(f"{name} reads {reads}, not {kind}: use `kerasseq {_COMMANDS[reads]}`.")


def strategy(options: argparse.Namespace) -> dict[str, Any]:
    """The strategy of --beam, as an option; empty without it.

    Raises:
        UserError: it is less than 1.
    """
    if options.beam is None:
        return {}
    if options.beam < 1:
        raise UserError(f"--beam must be at least 1, not {options.beam}.")
    from kerasseq.generation import of_width

    return {"strategy": of_width(options.beam)}
