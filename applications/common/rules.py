"""The rules by which `--config auto` chooses settings from what the data are.

A rule is a function from the facts of the training data to a `Choice`. Its docstring gives the
reason and the measurement behind it; `benchmarks/small.py` repeats the measurements. The figures
are of parts that are held out for choosing, never of test parts.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kerasseq.data.facts import Survey


class Choice(NamedTuple):
    """Settings, and what a run says about them.

    Attributes:
        settings: values by dotted keys.
        text: what is chosen and why, in one line.
    """

    settings: Mapping[str, Any]
    text: str


Rule = Callable[[Survey, Mapping[str, Any]], Choice]
