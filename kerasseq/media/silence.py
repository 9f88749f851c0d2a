"""Splits of long recordings at quiet places."""

import numpy as np

_BLOCK = 0.02  # seconds of a block, whose loudness is measured
_BLOCKS_AT_ONCE = 1 << 13
_PAUSE = 0.3  # seconds over which loudness is averaged: a pause between words, not within one


def split_at_silences(
    samples: np.ndarray, rate: int, max_seconds: float = 20.0, min_seconds: float = 5.0
) -> list[tuple[int, int]]:
    """Splits a recording into parts without gaps: (start, end) of each part, in samples.

    Each part except the last ends at the quietest place from `min_seconds` to `max_seconds` after
    its beginning.

    Args:
        samples: (n,) int16.
        rate: samples a second.
        max_seconds: the length of the longest part.
        min_seconds: the length of the shortest part.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> samples = np.full(30 * 1000, 500, "int16")
    >>> samples[12000:13000] = 0  # a pause in the thirteenth second
    >>> kerasseq.media.split_at_silences(samples, rate=1000)
    [(0, 12140), (12140, 30000)]
    """
    if len(samples) <= max_seconds * rate:
        return [(0, len(samples))]
    block, ends, start = max(int(_BLOCK * rate), 1), [], 0
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    # In groups, because squares of all samples take four times the memory of the recording.
    some = (
        blocks[first : first + _BLOCKS_AT_ONCE] for first in range(0, len(blocks), _BLOCKS_AT_ONCE)
    )
    energy = np.concatenate([np.mean(one.astype(np.float32) ** 2, axis=1) for one in some])
    width = round(_PAUSE / _BLOCK)
    loudness = np.convolve(energy, np.ones(width) / width, mode="same")
    while len(samples) - start > max_seconds * rate:
        first, last = (
            int(start + min_seconds * rate) // block,
            int(start + max_seconds * rate) // block,
        )
        start = (first + int(np.argmin(loudness[first:last]))) * block
        ends.append(start)
    return list(zip([0, *ends], [*ends, len(samples)], strict=True))
