"""The inputs of a model: one raw source, a list of them, or prepared features."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasseq.checks import abbreviate
from kerasseq.errors import UserError


def is_single(preprocessor: Any, source: Any) -> bool:
    """Whether a source is one that the preprocessor reads, not a list of them."""
    recognizes = getattr(preprocessor, "is_single", None)
    return recognizes is not None and recognizes(source)


def check_many(sources: Any, what: str) -> None:
    """Check that there are many, not one, though one may have a length and an order.

    Args:
        what: the plural, for the error.

    Raises:
        UserError: it is one.
    """
    numbers = isinstance(sources, np.ndarray) and sources.ndim < 2 and sources.dtype.kind in "biuf"
    if isinstance(sources, str | bytes | os.PathLike | dict) or numbers:
        raise UserError(f"Give a list of {what}, not one: [{abbreviate(sources)}].")


def as_list(sources: Any, what: str = "sources") -> Sequence[Any]:
    """The raw sources as a sequence, which has a length and an order.

    Args:
        what: the plural, for the error.

    Raises:
        UserError: it is one source, or none at all.
    """
    check_many(sources, what)
    if isinstance(sources, list | tuple | np.ndarray):
        return sources
    try:
        return list(sources)
    except TypeError:
        raise UserError(f"Give a list of {what}, not {abbreviate(sources)}.") from None


def require_inputs(inputs: Any, *names: str) -> list:
    """The inputs of these names.

    Raises:
        UserError: one is missing.
    """
    if not isinstance(inputs, dict) or any(name not in inputs for name in names):
        there = ", ".join(map(str, inputs)) if isinstance(inputs, dict) else abbreviate(inputs)
        raise UserError(f"The model is called with a dict of {', '.join(names)}, not of {there}.")
    return [inputs[name] for name in names]
