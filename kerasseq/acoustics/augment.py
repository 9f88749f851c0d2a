"""Augmentation of features."""

from typing import Annotated, Any

import keras
import numpy as np
from keras import ops

from kerasseq.acoustics.mel import Scale, mel_edges, to_mel
from kerasseq.checks import Count, Share, Size, checked, number, require_width
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.serialization import register
from kerasseq.streaming import Streaming

Extent = Annotated[float, number(0, 0.499)]


class Augmentation(Streaming, keras.layers.Layer):
    """What changes features in training alone, and streams them unchanged."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def begin_stream(self, n: int) -> dict:
        return {}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        return values, state


@register()
class FrequencyWarp(Augmentation):
    """In training, lengthens or shortens each speaker's vocal tract.

    Every row draws a factor a from [1 - `extent`, 1 + `extent`] and hears at frequency f what was
    at

        g(f) = a f                                     f <= F m / a,  m = min(a, 1)
        g(f) = H - (H - F m) (H - f) / (H - F m / a)   above,         H = rate / 2

    so that formants move and H stays. Between the centres of bands it interpolates. Vocal tract
    length perturbation, Jaitly and Hinton, 2013, equation 1, with F = 4800 Hz at 16 kHz.

    Args:
        rate, scale: of the mel bands; see `LogMel`. They reach from 0 Hz to `rate` / 2.
        extent: the greatest change, below a half.

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, S, D). Streams, unchanged.

    Raises:
        UserError: an argument is out of its range.
    """

    factors = 41  # so finely a is drawn

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
        drawn = np.linspace(1 - self.extent, 1 + self.extent, self.factors)
        self._warps = np.stack([self._warp(factor) for factor in drawn]).astype("float32")

    def _warp(self, factor: float) -> np.ndarray:
        """(D, D): column j interpolates what band j hears."""
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
            drawn = keras.random.randint(rows, 0, self.factors, seed=self.seed_generator)
            warps = ops.take(ops.cast(self._warps, values.dtype), drawn, axis=0)
            values = ops.matmul(values, warps)
        return Memory(values, mask)

    def get_config(self) -> dict:
        options = {"rate": self.rate, "scale": self.scale, "extent": self.extent}
        return {**super().get_config(), **options}


@register()
class SpecAugment(Augmentation):
    """In training, sets bands of frequencies and stretches of time to 0.

    Each mask has a width w drawn evenly from 0 to its greatest, and begins at a place drawn evenly
    from those where it fits. Park et al., 2019, section 2, without time warping; 0 is the mean of
    normalised features.

    Args:
        frequency_masks, frequency_width: how many in each row, and F, the widest, in bands.
        time_masks, time_width: how many in each row, and T, the widest, in frames.
        time_fraction: p, the widest as a fraction of the row's real frames.

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, S, D). Streams, unchanged.

    Raises:
        UserError: an argument is out of its range.
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
        kept = self._keep(steps, lengths, widest, self.time_masks)[:, :, None]
        widest = ops.minimum(float(self.frequency_width), bands)
        kept = kept & self._keep(self.width, bands, widest, self.frequency_masks)[:, None]
        return Memory(ops.where(kept, values, ops.zeros_like(values)), mask)

    def _keep(self, places: Any, length: Any, widest: Any, masks: int) -> Any:
        """(N, places): False in `masks` stretches, at most `widest` (N, 1), within `length`."""
        shape = (ops.shape(length)[0], masks)
        drawn = [keras.random.uniform(shape, seed=self.seed_generator) for _ in range(2)]
        width = ops.floor(drawn[0] * (ops.floor(widest) + 1))
        start = ops.floor(drawn[1] * (length - width + 1))
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
