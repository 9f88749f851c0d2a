"""Intervals of means."""

from collections.abc import Sequence

import numpy as np


def t_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    r"""Returns the interval of a mean by Student's t distribution.

    $$\bar x \pm t_{n-1} \sqrt{\frac{1}{n(n-1)} \sum_i (x_i - \bar x)^2}$$

    Args:
        values: n numbers, at least two, which are taken to be independent and normal.
        confidence: the share of such intervals that hold the mean.

    Returns:
        The lower and the upper bound.

    Example:

    >>> import kerasseq
    >>> low, high = kerasseq.metrics.t_interval([10.0, 12.0, 14.0])
    >>> round(low, 2), round(high, 2)
    (7.03, 16.97)
    """
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = error * _find_quantile(len(values) - 1, confidence)
    return float(values.mean() - half), float(values.mean() + half)


def _find_quantile(freedom: int, confidence: float) -> float:
    """Returns t, between whose negative and itself lies that share of the distribution.

    With $t = \\sqrt{\\nu} \\tan\\theta$ the density is proportional to $\\cos^{\\nu-1}\\theta$.
    """
    angles = np.linspace(0, np.pi / 2, 200_001)
    density = np.cos(angles) ** (freedom - 1)
    shares = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    angle = np.interp(confidence, shares / shares[-1], angles)
    return float(np.sqrt(freedom) * np.tan(angle))
