"""The calibration of confidences."""

from collections.abc import Sequence

import numpy as np

from kerasseq.errors import UserError


def calibration_error(
    confidences: Sequence[float], correct: Sequence[bool], bins: int = 10
) -> float:
    """Returns the expected calibration error, from 0 to 1.

        sum over the bins of |bin| / N |mean confidence - share of correct ones|

    The bins divide confidences from 0 to 1 into equal ranges. (Guo et al., 2017, equation 3)

    Args:
        confidences: N confidences, each from 0 to 1.
        correct: whether each is right.
        bins: the number of bins.

    Raises:
        UserError: there are no confidences, or not as many answers.

    Example:

    >>> import kerasseq
    >>> error = kerasseq.metrics.calibration_error([0.9, 0.9, 0.9, 0.9], [True, True, False, False])
    >>> round(error, 3)
    0.4
    """
    values, right = np.asarray(confidences, "float64"), np.asarray(correct, "float64")
    if not len(values) or values.shape != right.shape:
        raise UserError(
            f"There are {len(values)} confidences and {len(right)} answers: give as many of both, "
            "and one or more."
        )
    places = np.minimum((values * bins).astype(int), bins - 1)
    gaps = np.bincount(places, values - right, bins)
    return float(np.abs(gaps).sum() / len(values))
