"""Filters on the mel scale."""

from typing import Literal

import numpy as np

from kerasseq.errors import UserError

Scale = Literal["slaney", "htk"]

# Slaney's scale is linear up to 1000 Hz, 200/3 Hz a mel, then logarithmic, 27 mels a factor 6.4.
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
    """(mels + 2,) Hz: where the bands begin, culminate and end, each at its neighbours' middles."""
    high = rate / 2 if high is None else high
    return to_hertz(np.linspace(to_mel(low, scale), to_mel(high, scale), mels + 2), scale)


def mel_filters(
    rate: int, n_fft: int, mels: int, low: float = 0.0, high: float | None = None, scale="slaney"
) -> np.ndarray:
    """Triangles of equal width in mel and of area 1 over Hz, (n_fft // 2 + 1, mels) float32.

    Equal to the transpose of `librosa.filters.mel`. `scale` is "slaney" (Auditory Toolbox, 1998)
    or "htk" (Young et al., The HTK Book, 2006, equation 5.13); the area is 1 with both.

    Raises:
        UserError: a filter has no frequency bin in it.
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
