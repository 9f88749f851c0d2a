"""Filters on the mel scale."""

from typing import Literal

import numpy as np

from kerasseq.errors import UserError

Scale = Literal["slaney", "htk"]

# Slaney's scale is linear up to 1000 Hz, with 200/3 Hz a mel, and logarithmic above, with 27 mels
# for a factor of 6.4.
_STEP, _CORNER = 200.0 / 3, 1000.0
_LOG_STEP = np.log(6.4) / 27


def to_mel(hertz: np.ndarray, scale: str) -> np.ndarray:
    hertz = np.asarray(hertz, "float64")
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hertz / 700.0)
    above = _CORNER / _STEP + np.log(np.maximum(hertz, _CORNER) / _CORNER) / _LOG_STEP
    return np.where(hertz < _CORNER, hertz / _STEP, above)


def to_hertz(mel: np.ndarray, scale: str) -> np.ndarray:
    mel = np.asarray(mel, "float64")
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    corner = _CORNER / _STEP
    above = _CORNER * np.exp(_LOG_STEP * (np.maximum(mel, corner) - corner))
    return np.where(mel < corner, mel * _STEP, above)


def mel_edges(
    rate: int, mels: int, low: float = 0.0, high: float | None = None, scale: str = "slaney"
) -> np.ndarray:
    """Returns the frequencies (mels + 2,) in Hz at which the bands start, peak and end.

    Each band starts and ends at the peaks of its neighbours.
    """
    high = rate / 2 if high is None else high
    return to_hertz(np.linspace(to_mel(low, scale), to_mel(high, scale), mels + 2), scale)


def mel_filters(
    rate: int, n_fft: int, mels: int, low: float = 0.0, high: float | None = None, scale="slaney"
) -> np.ndarray:
    """Returns triangular filters of equal width in mel and of area 1 over Hz.

    The result equals the transpose of `librosa.filters.mel`.

    Args:
        rate: samples a second.
        n_fft: the length of the Fourier transform, in samples.
        mels: the number of filters.
        low, high: the frequencies at which the filters start and end, in Hz. Default: 0 and half
            the rate.
        scale: "slaney" (Auditory Toolbox, 1998) or "htk" (Young et al., The HTK Book, 2006,
            equation 5.13). The area of a filter is 1 with both.

    Returns:
        (n_fft // 2 + 1, mels) float32.

    Raises:
        UserError: a filter contains no frequency bin.

    Example:

    >>> import kerasseq
    >>> kerasseq.acoustics.mel_filters(rate=16000, n_fft=512, mels=80).shape
    (257, 80)
    """
    bins = np.arange(n_fft // 2 + 1) * (rate / n_fft)
    edges = mel_edges(rate, mels, low, high, scale)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - left) / (centre - left)
    falling = (right - bins[:, None]) / (right - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (right - left))
    if not filters.any(axis=0).all():
        raise UserError(
            f"{mels} mel filters from {low:g} to {edges[-1]:g} Hz are too narrow for an n_fft of "
            f"{n_fft} at {rate} Hz; choose fewer mels or a larger n_fft."
        )
    return filters.astype("float32")
