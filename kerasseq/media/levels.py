"""Float samples of whatever range as int16."""

from collections.abc import Iterable

import numpy as np

from kerasseq.media.files import ContentError

# Samples up to the first are loud and get clipped; from the second to the third they are 16-bit
# numbers that were never divided by 32,768.
_LOUD, _NUMBERS, _MOST_NUMBERS = 4.0, 256.0, 40_000.0


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Samples from -1 to 1 as int16, clipped."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)


def check_numbers(samples: np.ndarray) -> None:
    """Refuse NaN and infinity.

    Raises:
        ContentError: there are some.
    """
    if not np.isfinite(samples).all():
        raise ContentError("some samples are no numbers (NaN or infinite)")


def level(blocks: Iterable[np.ndarray]) -> float:
    """What to multiply float samples by, so that they are from -1 to 1.

    Samples of a peak up to 4 are loud, and get clipped. Whole numbers of more than 1, and any
    samples of a peak from 256 to 40,000, are 16-bit numbers.

    Raises:
        ContentError: samples are of another range, NaN or infinite.
    """
    peak, whole = 0.0, True
    for block in blocks:
        check_numbers(block)
        peak = max(peak, float(np.abs(block).max(initial=0)))
        whole = whole and bool((block == np.round(block)).all())
    if (whole and 1 < peak <= 32768) or _NUMBERS <= peak <= _MOST_NUMBERS:
        return 1 / 32768
    if peak > _LOUD:
        raise ContentError(f"float samples up to {peak:.4g}: divide them, so that they are -1 to 1")
    return 1.0


def scaled(samples: np.ndarray) -> np.ndarray:
    """(samples,) of any kind of float as int16, by their `level`."""
    return to_int16(samples * level([samples]))
