"""The calibration of a model's confidences on recordings whose transcripts are known."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kerasseq.checks import Checked, Share
from kerasseq.errors import UserError
from kerasseq.metrics.calibration import calibration_error

CARD_NAME = "calibration"
"""The name of the entry in a model's card."""

LEAST_WORDS = 50
"""Words that a calibration needs."""

# The share of the recordings for the calibration that are below `Calibration.least`.
_STRANGE = 0.01

# Probabilities are cut off here, so that their logits are finite.
_EDGE = 1e-4

# The precision of the prior of the weights, around those that change nothing.
_RIDGE = 1.0


@dataclass(frozen=True)
class Calibration(Checked):
    """Makes confidences of probabilities, and tells whether a model knows such sources.

        confidence = sigmoid(word logit(p) + recording logit(r) + offset)

    p is the geometric mean of the probabilities of a word's units, and r that of all units of its
    recording. A model knows a recording if r is `least` or more. The defaults change nothing.
    This is the scaling of Platt (1999, equation 1), of two probabilities.

    Attributes:
        word, recording, offset: the weights.
        least: the least r of what the model knows; 0 if that is not measured.

    Example:

    >>> from kerasseq.models.confidence import Calibration
    >>> calibration = Calibration(word=1.0, recording=0.5, offset=0.7, least=0.63)
    >>> round(calibration.confidence(0.9, 0.9), 3), round(calibration.confidence(0.9, 0.4), 3)
    (0.982, 0.937)
    """

    word: float = 1.0
    recording: float = 0.0
    offset: float = 0.0
    least: Share = 0.0

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> "Calibration":
        """Returns the calibration in a model's card, or one that changes nothing.

        Raises:
            UserError: the card has a wrong one.
        """
        entry = card.get(CARD_NAME, {})
        names = cls.__dataclass_fields__
        if not isinstance(entry, dict):
            raise UserError("its card has no calibration of numbers")
        return cls(**{name: value for name, value in entry.items() if name in names})

    def confidence(self, word: float, recording: float) -> float:
        """Returns the confidence of a word, given both probabilities."""
        if (self.word, self.recording, self.offset) == (1, 0, 0):
            return word
        logit = self.word * _logit(word) + self.recording * _logit(recording) + self.offset
        return 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))

    def knows(self, recording: float) -> bool:
        """Returns whether the model knows such recordings."""
        return recording >= self.least


def geometric_mean(log_probs: Sequence[float]) -> float:
    """Returns the geometric mean of probabilities, given their logarithms, of which there is one
    or more.
    """
    return math.exp(min(sum(log_probs) / len(log_probs), 0.0))


def fit_calibration(
    words: Sequence[float],
    recordings: Sequence[float],
    places: Sequence[int],
    right: Sequence[bool],
) -> dict[str, Any] | None:
    """Fits a calibration by maximum likelihood, and measures it.

    Args:
        words: the probability of each word.
        recordings: the probability of each recording.
        places: the index of each word's recording.
        right: whether each word is right.

    Returns:
        The entry of the card: the calibration, the number of words, and the expected calibration
        error before and after. The error after it is that of five calibrations, each measured on
        the fifth of the recordings that it was not fitted on. None if there are too few words.
    """
    if len(words) < LEAST_WORDS:
        return None
    right, places = np.asarray(right, bool), np.asarray(places)
    probabilities = np.asarray(words), np.asarray(recordings)[places]
    inputs = np.stack([*map(_logit, probabilities), np.ones(len(right))], axis=1)
    after = np.zeros(len(right))
    for part in range(5):
        held_out = places % 5 == part
        weights = _fit(inputs[~held_out], right[~held_out])
        after[held_out] = 1 / (1 + np.exp(-inputs[held_out] @ weights))
    word, recording, offset = map(float, _fit(inputs, right).round(4))
    least = float(np.quantile(recordings, _STRANGE).round(4))
    return {
        **asdict(Calibration(word, recording, offset, least)),
        "words": len(right),
        "ece_before": round(calibration_error(probabilities[0], right), 4),
        "ece_after": round(calibration_error(after, right), 4),
    }


def _logit(p: Any) -> Any:
    clipped = np.clip(p, _EDGE, 1 - _EDGE)
    return np.log(clipped / (1 - clipped))


def _fit(inputs: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Fits a logistic regression by Newton's method; the targets are smoothed as Platt's."""
    wins, losses = right.sum(), (~right).sum()
    targets = np.where(right, (wins + 1) / (wins + 2), 1 / (losses + 2))
    start = np.eye(inputs.shape[1])[0]
    weights = start
    for _ in range(30):
        guess = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (guess - targets) + _RIDGE * (weights - start)
        curve = (inputs.T * (guess * (1 - guess))) @ inputs + _RIDGE * np.eye(len(start))
        weights = weights - np.linalg.solve(curve, slope)
    return weights
