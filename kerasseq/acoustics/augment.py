"""Augmentation of features."""

from typing import Any

import keras
from keras import ops

from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.streaming import Streaming


@keras.saving.register_keras_serializable("kerasseq")
class SpecAugment(Streaming, keras.layers.Layer):
    """In training, sets bands of frequencies and stretches of time to 0.

    Each mask has a width w drawn evenly from 0 to its greatest, and begins at a place drawn evenly
    from those where it fits. Park et al., 2019, section 2, without time warping; 0 is the mean of
    normalised features.

    Args:
        frequency_masks, frequency_width: how many in each row, and F, the widest, in bands.
        time_masks, time_width: how many in each row, and T, the widest, in frames.
        time_fraction: p, the widest as a fraction of the row's real frames.

    Shapes: values (N, S, D), mask (N, S) -> Memory with (N, S, D). Streams, unchanged.
    """

    def __init__(
        self,
        frequency_masks: int = 2,
        frequency_width: int = 27,
        time_masks: int = 2,
        time_width: int = 100,
        time_fraction: float = 0.2,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.frequency_masks, self.frequency_width = frequency_masks, frequency_width
        self.time_masks, self.time_width = time_masks, time_width
        self.time_fraction = time_fraction
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: Any) -> None:
        self.width = input_shape[-1]

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

    def begin_stream(self, n: int) -> dict:
        return {}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        return values, state

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "frequency_masks": self.frequency_masks,
            "frequency_width": self.frequency_width,
            "time_masks": self.time_masks,
            "time_width": self.time_width,
            "time_fraction": self.time_fraction,
        }
