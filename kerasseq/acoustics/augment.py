"""Augmentation of acoustic features."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.acoustics.mel import Scale, mel_edges, to_mel
from kerasseq.checks import Count, Extent, Share, Size, checked, require_width
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.serialization import register
from kerasseq.streaming import Streaming


class Augmentation(Streaming, keras.layers.Layer):
    """Base of the layers that change features in training and pass them unchanged in use."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def begin_stream(self, n: int) -> dict:
        return {}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        return values, state


@register()
class FrequencyWarp(Augmentation):
    """Changes the length of the vocal tract of each speaker, in training.

    Each row samples a factor a from [1 - `extent`, 1 + `extent`]. Its new value at frequency f is
    the old value at

        g(f) = a f                                     f <= F m / a,  m = min(a, 1)
        g(f) = H - (H - F m) (H - f) / (H - F m / a)   above,         H = rate / 2

    so that formants move and H stays. Values between the centres of two bands are interpolated.
    This is vocal tract length perturbation (Jaitly and Hinton, 2013, equation 1), with F = 4800
    Hz at 16 kHz.

    Args:
        rate, scale: the sampling rate and the scale of the mel bands, see `LogMel`. The bands
            range from 0 Hz to `rate` / 2.
        extent: the largest change of the factor, below a half.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, S, D). The layer streams.

    Raises:
        UserError: an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> layer = kerasseq.acoustics.FrequencyWarp(rate=16000)
    >>> features, mask = np.ones((1, 10, 80), "float32"), np.ones((1, 10), bool)
    >>> tuple(layer(features, mask, training=True).values.shape)
    (1, 10, 80)
    """

    factors = 41  # the number of values of a

    @checked
    def __init__(
        self,
        rate: Size = 16000,
        scale: Scale = "slaney",
        extent: Extent = 0.1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.rate, self.scale, self.extent = rate, scale, extent

    def build(self, input_shape: Any) -> None:
        self.width = require_width(self, input_shape)
        factors = np.linspace(1 - self.extent, 1 + self.extent, self.factors)
        self._warps = np.stack([self._warp(factor) for factor in factors]).astype("float32")

    def _warp(self, factor: float) -> np.ndarray:
        """Returns the matrix (D, D) whose column j interpolates the new value of band j."""
        half, bend = self.rate / 2, 0.3 * self.rate * min(factor, 1.0)
        centres = mel_edges(self.rate, self.width, scale=self.scale)[1:-1]
        above = half - (half - bend) * (half - centres) / (half - bend / factor)
        source = np.where(centres <= bend / factor, factor * centres, above)
        bands = np.arange(self.width)
        place = np.interp(to_mel(source, self.scale), to_mel(centres, self.scale), bands)
        return np.maximum(0.0, 1.0 - np.abs(bands[:, None] - place))

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        if training and self.extent:
            rows = (ops.shape(values)[0],)
            factors = keras.random.randint(rows, 0, self.factors, seed=self.seed_generator)
            warps = ops.take(ops.cast(self._warps, values.dtype), factors, axis=0)
            values = ops.matmul(values, warps)
        return Memory(values, mask)

    def get_config(self) -> dict:
        options = {"rate": self.rate, "scale": self.scale, "extent": self.extent}
        return {**super().get_config(), **options}


@register()
class SpecAugment(Augmentation):
    """Masks bands of frequencies and stretches of time with zeros, in training.

    The width w of each mask is sampled uniformly from 0 to the maximum, and its start from all
    places where the mask fits. Park et al., 2019, section 2, without time warping. Zero is the
    mean of normalised features.

    Args:
        frequency_masks: the number of frequency masks in each row.
        frequency_width: F, the maximum width of a frequency mask, in bands.
        time_masks: the number of time masks in each row.
        time_width: T, the maximum width of a time mask, in frames.
        time_fraction: p, the maximum width of a time mask, as a fraction of the real frames.

    Shapes: values (N, S, D), mask (N, S) -> Memory with values (N, S, D). The layer streams.

    Raises:
        UserError: an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> layer = kerasseq.acoustics.SpecAugment(frequency_masks=1, time_masks=0)
    >>> features, mask = np.ones((1, 10, 80), "float32"), np.ones((1, 10), bool)
    >>> values = np.array(layer(features, mask, training=True).values)
    >>> bool((values == 0).all(axis=1).sum() <= 27)  # masked bands
    True
    """

    @checked
    def __init__(
        self,
        frequency_masks: Count = 2,
        frequency_width: Count = 27,
        time_masks: Count = 2,
        time_width: Count = 100,
        time_fraction: Share = 0.2,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.frequency_masks, self.frequency_width = frequency_masks, frequency_width
        self.time_masks, self.time_width = time_masks, time_width
        self.time_fraction = time_fraction

    def build(self, input_shape: Any) -> None:
        self.width = require_width(self, input_shape)

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        if not training:
            return Memory(values, mask)
        n, steps = ops.shape(values)[0], ops.shape(values)[1]
        lengths = ops.cast(mask_to_lengths(mask), "float32")[:, None]
        bands = ops.full((n, 1), float(self.width))
        widest = ops.minimum(float(self.time_width), self.time_fraction * lengths)
        unmasked = self._sample_mask(steps, lengths, widest, self.time_masks)[:, :, None]
        widest = ops.minimum(float(self.frequency_width), bands)
        unmasked = (
            unmasked & self._sample_mask(self.width, bands, widest, self.frequency_masks)[:, None]
        )
        return Memory(ops.where(unmasked, values, ops.zeros_like(values)), mask)

    def _sample_mask(self, places: Any, length: Any, widest: Any, masks: int) -> Any:
        """Returns (N, places), False in `masks` stretches within `length`, up to `widest`."""
        shape = (ops.shape(length)[0], masks)
        uniforms = [keras.random.uniform(shape, seed=self.seed_generator) for _ in range(2)]
        width = ops.floor(uniforms[0] * (ops.floor(widest) + 1))
        start = ops.floor(uniforms[1] * (length - width + 1))
        place = ops.arange(places, dtype="float32")[None, None]
        start, width = start[:, :, None], width[:, :, None]
        return ops.logical_not(ops.any((place >= start) & (place < start + width), axis=1))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "frequency_masks": self.frequency_masks,
            "frequency_width": self.frequency_width,
            "time_masks": self.time_masks,
            "time_width": self.time_width,
            "time_fraction": self.time_fraction,
        }
