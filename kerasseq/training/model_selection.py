"""The choice of the validation with the best weights."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from kerasseq.errors import UserError


class Metric(NamedTuple):
    """How to compare the values of a metric.

    Attributes:
        higher_is_better: whether a larger value is better.
        useless: a value that says nothing about a model, nor does any worse one. An empty text has
            an error rate of 100 %; the same short text for every example has one of 80 to 100 %.
    """

    higher_is_better: bool
    useless: float


METRICS = {
    "bleu": Metric(higher_is_better=True, useless=2.0),
    "cider": Metric(higher_is_better=True, useless=5.0),
    "wer": Metric(higher_is_better=False, useless=80.0),
}


class ModelSelection:
    """Compares validations by the loss, or by a metric.

    The metric decides between two validations if they differ by more than 100 / n percent, with n
    examples: one example cannot make up more. A smaller lead may be chance; then the later one is
    better, since it comes after more training and at a lower rate. Its loss may be the higher one:
    a model that grows too sure of itself still writes better texts. Values that are no better than
    `Metric.useless` count as equal; among them the loss decides.

    A validation that is not chosen at its time is never chosen later, because its weights are not
    saved.

    Args:
        by: "loss" or a name in `METRICS`.
        examples: n; with 0 only equal values are ties.
    """

    def __init__(self, by: str, examples: int = 0):
        self.by, self._tie = by, 100.0 / examples if examples else 0.0

    def is_better(self, results: Mapping, best: Mapping, best_value: float | None) -> bool:
        """Returns whether a validation replaces the chosen one.

        Args:
            results: the losses and metrics of the validation.
            best: those of the chosen validation; empty if there is none.
            best_value: the best value of the metric in all validations so far, this one included;
                see `update_best`.

        Raises:
            UserError: the metric is not in `results`.
        """
        if not best or "loss" not in results:
            return True  # without validation data the last weights count
        if not math.isfinite(results["loss"]):
            return False
        if not math.isfinite(best["loss"]):
            return True
        if self.by != "loss":
            if not self._is_near(results, best_value):
                return False
            if not self._is_near(best, best_value):
                return True
            if self.clip(best) != METRICS[self.by].useless:
                return True
        return results["loss"] < best["loss"]

    def update_best(self, results: Mapping, best_value: float | None) -> float | None:
        """Returns the better one of the metric in `results` and `best_value`, the best before."""
        if self.by == "loss":
            return best_value
        if self.by not in results:
            raise UserError(
                f"training.best_by is {self.by}, but this model's validation measures "
                f"{', '.join(results)}: choose one of them"
            )
        value = self.clip(results)
        if best_value is None or math.isnan(value):
            return best_value if math.isnan(value) else value
        better = max if METRICS[self.by].higher_is_better else min
        return better(value, best_value)

    def clip(self, results: Mapping) -> float:
        """Returns the metric, or `Metric.useless` if the metric is worse."""
        higher_is_better, useless = METRICS[self.by]
        value = results[self.by]
        return max(value, useless) if higher_is_better else min(value, useless)

    def _is_near(self, results: Mapping, best_value: float | None) -> bool:
        value = self.clip(results)
        return best_value is None or abs(value - best_value) <= self._tie + 1e-9
