"""Conversion of float samples of any usual range to int16."""

from collections.abc import Iterable

import numpy as np

from kerasseq.media.files import ContentError

# Peaks up to the first number are loud samples, which are clipped. Peaks from the second to the
# third number are 16-bit samples that were not divided by 32,768.
_LOUD, _MIN_16_BIT, _MAX_16_BIT = 4.0, 256.0, 40_000.0


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Returns samples from -1 to 1 as int16, clipped."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)


def check_finite(samples: np.ndarray) -> None:
    """Checks that no sample is NaN or infinite.

    Raises:
        ContentError: if one is.
    """
    if not np.isfinite(samples).all():
        raise ContentError("some samples are no numbers (NaN or infinite)")


def find_scale(blocks: Iterable[np.ndarray]) -> float:
    """Returns the factor that scales float samples to the range from -1 to 1.

    Samples with a peak up to 4 are loud, and are clipped later. Whole numbers above 1, and all
    samples with a peak from 256 to 40,000, are 16-bit numbers.

    Raises:
        ContentError: if samples are of another range, NaN or infinite.
    """
    peak, whole = 0.0, True
    for block in blocks:
        check_finite(block)
        peak = max(peak, float(np.abs(block).max(initial=0)))
        whole = whole and bool((block == np.round(block)).all())
    if (whole and 1 < peak <= 32768) or _MIN_16_BIT <= peak <= _MAX_16_BIT:
        return 1 / 32768
    if peak > _LOUD:
        raise ContentError(f"float samples up to {peak:.4g}: divide them, so that they are -1 to 1")
    return 1.0


def scale_to_int16(samples: np.ndarray) -> np.ndarray:
    """Returns float samples (n,) of any usual range as int16; see `find_scale`."""
    return to_int16(samples * find_scale([samples]))
