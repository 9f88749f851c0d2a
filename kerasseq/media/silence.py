"""Cutting long recordings where it is quiet."""

import numpy as np

_BLOCK = 0.02  # seconds over which loudness is measured
_TOGETHER = 1 << 13  # blocks that are measured at once
_PAUSE = 0.3  # and over which it is averaged: a pause between words, not within one


def cut_at_silences(
    samples: np.ndarray, rate: int, most: float = 20.0, least: float = 5.0
) -> list[tuple[int, int]]:
    """(start, end) of parts of a recording, none longer than `most` seconds, without a gap.

    Each part but the last ends at the quietest place from `least` to `most` seconds behind its
    beginning.

    Args:
        samples: (n,) int16.
        rate: samples a second.
    """
    if len(samples) <= most * rate:
        return [(0, len(samples))]
    block, ends, start = max(int(_BLOCK * rate), 1), [], 0
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    # Some at a time: squares of floats take four times the memory of the recording.
    some = (blocks[first : first + _TOGETHER] for first in range(0, len(blocks), _TOGETHER))
    energy = np.concatenate([np.mean(one.astype(np.float32) ** 2, axis=1) for one in some])
    width = round(_PAUSE / _BLOCK)
    loudness = np.convolve(energy, np.ones(width) / width, mode="same")
    while len(samples) - start > most * rate:
        first, last = int(start + least * rate) // block, int(start + most * rate) // block
        start = (first + int(np.argmin(loudness[first:last]))) * block
        ends.append(start)
    return list(zip([0, *ends], [*ends, len(samples)], strict=True))
