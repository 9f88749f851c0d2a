"""What every head's measurement of a model gives."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasseq.data.problems import Problems


@dataclass(frozen=True)
class Evaluation:
    """The texts of a model and their scores.

    A subclass says what its examples are called. Its text is what the command `evaluate` prints.

    Attributes:
        texts: the text of every example.
        scores: figures that have a `name` and a `value`.
        problems: the examples that were left out.
    """

    examples: ClassVar[str]

    texts: list[str]
    scores: list[Any]
    problems: Problems

    def to_dict(self) -> dict[str, Any]:
        """Returns what `evaluate --json` prints."""
        raise NotImplementedError
