"""Convolutional encoder with gated linear units."""

from typing import Any

import keras
from keras import ops

from kerasseq.checks import Fraction, OddSize, Size, checked, require_width
from kerasseq.initializers import build
from kerasseq.masking import Memory
from kerasseq.serialization import register

# Scales a sum of two terms of equal variance to this variance.
SQRT_HALF = 0.5**0.5


def glu(x: Any) -> Any:
    """The first half of the channels times the sigmoid of the second (Dauphin et al., 2017)."""
    a, b = ops.split(x, 2, axis=-1)
    return a * ops.sigmoid(b)


@register()
class ConvolutionalEncoder(keras.layers.Layer):
    """A stack of residual convolutions with gated linear units.

        h_l = (GLU(Conv(h_{l-1})) + h_{l-1}) * sqrt(0.5);  memory = (W h_L + e) * sqrt(0.5)

    Gehring et al., 2017, sections 3.2 to 3.4. In the paper the keys are W h_L and the values
    W h_L + e. Here one memory serves as both, and the decoder projects its keys from it.

    Args:
        units: U, the channels of each layer.
        layers: the number of layers.
        kernel_size: steps that a convolution reads, odd.
        dropout: fraction of the input of each convolution dropped in training.

    Shapes: values (N, S, D) with positions, mask (N, S) -> Memory with values (N, S, D). Padding
    is set to zero before every convolution, so that it has no effect.

    Raises:
        UserError: an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> encoder = kerasseq.encoders.ConvolutionalEncoder(units=16, layers=2)
    >>> memory = encoder(np.zeros((1, 5, 8), "float32"), np.ones((1, 5), bool))
    >>> tuple(memory.values.shape)
    (1, 5, 8)
    """

    factor = 1

    @checked
    def __init__(
        self,
        units: Size,
        layers: Size = 1,
        kernel_size: OddSize = 3,
        dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.layers, self.kernel_size = units, layers, kernel_size
        self.dropout = keras.layers.Dropout(dropout)
        self.enter = keras.layers.Dense(units, name="enter")
        self.convolutions = [
            keras.layers.Conv1D(2 * units, kernel_size, padding="same", name=f"convolution_{i}")
            for i in range(layers)
        ]

    def build(self, input_shape: Any) -> None:
        self.width = require_width(self, input_shape)
        if not hasattr(self, "leave"):
            self.leave = keras.layers.Dense(self.width, name="leave")
        build(self.enter, input_shape)
        build(self.leave, (None, None, self.units))
        for convolution in self.convolutions:
            build(convolution, (None, None, self.units))

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        real = ops.cast(mask, self.compute_dtype)[:, :, None]
        hidden = self.enter(values)
        for convolution in self.convolutions:
            inputs = self.dropout(hidden, training=training) * real
            hidden = (glu(convolution(inputs)) + hidden) * SQRT_HALF
        return Memory((self.leave(hidden) + values) * SQRT_HALF * real, mask)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "layers": self.layers,
            "kernel_size": self.kernel_size,
            "dropout": self.dropout.rate,
        }
