"""A depthwise convolution of pictures that is fast on every backend."""

from typing import Any

import keras

from kerasseq import backend
from kerasseq.serialization import register


@register()
class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """`keras.layers.DepthwiseConv2D`, computed by `backend.depthwise_conv_2d`.

    It has the same stride for rows and columns, pads with zeros ("same"), and has a bias.
    """

    def call(self, inputs: Any) -> Any:
        kernel = self.kernel[..., 0]
        return self.activation(
            backend.depthwise_conv_2d(inputs, kernel, self.strides[0]) + self.bias
        )
