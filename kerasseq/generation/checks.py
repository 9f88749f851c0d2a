"""Checks of the numbers that say how to generate."""

import math
import numbers
from typing import Any

from kerasseq.errors import OptionError


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    """That an option is a whole number in its range.

    Raises:
        OptionError: it is not.
    """
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        upper = "" if most is None else f" and at most {most}"
        raise OptionError(name, f"must be a whole number, at least {least}{upper}, not {value!r}")


def check_number(
    name: str, value: Any, least: float = -math.inf, most: float = math.inf, above: bool = False
) -> None:
    """That an option is a finite number in its range.

    Args:
        above: whether it must be above `least`, and not only as great.

    Raises:
        OptionError: it is not.
    """
    real = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    if not real or not least <= value <= most or (above and value == least):
        bounds = []
        if least > -math.inf:
            bounds.append(f"{'above' if above else 'at least'} {least:g}")
        if most < math.inf:
            bounds.append(f"at most {most:g}")
        shown = f", {' and '.join(bounds)}" if bounds else ""
        raise OptionError(name, f"must be a number{shown}, not {value!r}")
