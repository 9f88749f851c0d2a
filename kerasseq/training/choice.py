"""Which validation has the best weights."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from kerasseq.errors import UserError


class Figure(NamedTuple):
    """What a figure of a validation says.

    Attributes:
        higher: whether more is better.
        useless: a figure no better than this says nothing about a model. An empty text has an
            error rate of 100 %, and the same short text for everything one of 80 to 100 %.
    """

    higher: bool
    useless: float


FIGURES = {
    "bleu": Figure(higher=True, useless=2.0),
    "cider": Figure(higher=True, useless=5.0),
    "wer": Figure(higher=False, useless=80.0),
}


class Choice:
    """Chooses among validations by a figure where it tells them apart, else by the loss.

    The figure tells two validations apart if they differ by more than one example can make up:
    by more than 100 / n percent, with n examples. A smaller lead may be chance. Figures that are
    no better than `Figure.useless` count as equal. So the chosen validation is the one of least
    loss among those whose figure is within 100 / n of the best figure of all. A validation that
    is not chosen when it is made is not chosen later, since its weights are gone.

    Args:
        by: "loss" or a name in `FIGURES`.
        examples: n; with 0 only equal figures are ties.
    """

    def __init__(self, by: str, examples: int = 0):
        self.by, self._tie = by, 100.0 / examples if examples else 0.0

    def is_better(self, figures: Mapping, best: Mapping, top: float | None) -> bool:
        """Whether a validation is to be chosen in place of the one chosen so far.

        Args:
            figures: of the validation.
            best: those of the one chosen so far; empty if there is none.
            top: the best figure of all validations so far, this one included; see `top`.

        Raises:
            UserError: the figure is not among them.
        """
        if not best or "loss" not in figures:
            return True  # without validation data the last weights stay
        if not math.isfinite(figures["loss"]):
            return False
        if not math.isfinite(best["loss"]):
            return True
        if self.by != "loss":
            if not self._is_near(figures, top):
                return False
            if not self._is_near(best, top):
                return True
        return figures["loss"] < best["loss"]

    def top(self, figures: Mapping, top: float | None) -> float | None:
        """The better of a validation's figure and `top`, the best one before."""
        if self.by == "loss":
            return top
        if self.by not in figures:
            raise UserError(
                f"training.best_by is {self.by}, but this model's validation measures "
                f"{', '.join(figures)}: choose one of them"
            )
        value = self._useful(figures)
        if top is None or math.isnan(value):
            return top if math.isnan(value) else value
        return max(value, top) if FIGURES[self.by].higher else min(value, top)

    def _useful(self, figures: Mapping) -> float:
        higher, useless = FIGURES[self.by]
        value = figures[self.by]
        return max(value, useless) if higher else min(value, useless)

    def _is_near(self, figures: Mapping, top: float | None) -> bool:
        value = self._useful(figures)
        return top is None or abs(value - top) <= self._tie + 1e-9
