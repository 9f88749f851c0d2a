"""A chain of layers."""

import math
from typing import Any

import keras
from keras import ops

from kerasseq.checks import Encoder, checked
from kerasseq.errors import UserError
from kerasseq.initializers import build_and_get_width
from kerasseq.masking import Memory
from kerasseq.serialization import deserialize_arguments, register
from kerasseq.streaming import Streaming


@register()
class Chain(Streaming, keras.layers.Layer):
    """An encoder that applies several layers in order.

    Each layer reads the memory of the layer before. A pyramid (Chan et al., 2016, section 3.1),
    for example, is a chain of `RNNEncoder` and `FrameStacking(2)`.

    Args:
        layers: encoders, `layer(values, mask, training) -> Memory`, which have a `width` once
            they are built.

    Shapes: the input of the first layer -> the memory of the last layer. The chain streams if all
    its layers stream.

    Raises:
        UserError: there is no layer, or a layer is no encoder.

    Example:

    >>> import numpy as np
    >>> from kerasseq.encoders import Chain, FrameStacking, RNNEncoder
    >>> pyramid = Chain([RNNEncoder(4), FrameStacking(2), RNNEncoder(4)])
    >>> memory = pyramid(np.zeros((1, 10, 8), "float32"), np.ones((1, 10), bool))
    >>> tuple(memory.values.shape)
    (1, 5, 4)
    """

    @checked
    def __init__(self, layers: list[Encoder], **kwargs: Any):
        super().__init__(**kwargs)
        self.layers = list(layers)

    def build(self, input_shape: Any) -> None:
        for layer in self.layers:
            input_shape = (None, None, build_and_get_width(layer, input_shape))

    @property
    def width(self) -> int:
        """The width of the memory."""
        return self.layers[-1].width

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        memory = Memory(values, mask)
        for layer in self.layers:
            memory = layer(*memory, training=training)
        return memory

    @property
    def streams(self) -> bool:
        return all(getattr(layer, "streams", False) for layer in self.layers)

    @property
    def factor(self) -> int:
        return math.prod(getattr(layer, "factor", 1) for layer in self.layers)

    @property
    def margin(self) -> int:
        """The input steps by which the memory begins before the input."""
        return sum(getattr(layer, "margin", 0) * factor for layer, factor in self._factors())

    @property
    def lead(self) -> int:
        return sum(layer.lead * factor for layer, factor in self._factors())

    @property
    def block(self) -> int:
        return math.lcm(*(layer.block * factor for layer, factor in self._factors()))

    def _factors(self) -> list[tuple[Any, int]]:
        """Pairs each layer with the number of input steps of the chain in one step of the layer."""
        pairs, factor = [], 1
        for layer in self.layers:
            pairs.append((layer, factor))
            factor *= getattr(layer, "factor", 1)
        return pairs

    def begin_stream(self, n: int) -> list:
        for layer in self.layers:
            if not getattr(layer, "streams", False):
                raise UserError(f"The layer {layer.name!r} cannot stream as it is configured.")
        return [layer.begin_stream(n) for layer in self.layers]

    def stream(self, values: Any, state: list) -> tuple[Any, list]:
        states = []
        for layer, before in zip(self.layers, state, strict=True):
            values, after = layer.stream(_cast(values, layer), before)
            states.append(after)
        return values, states

    def flush(self, values: Any, state: list) -> Any:
        for layer, before in zip(self.layers, state, strict=True):
            values = layer.flush(_cast(values, layer), before)
        return values

    def get_config(self) -> dict:
        layers = [keras.saving.serialize_keras_object(layer) for layer in self.layers]
        return {**super().get_config(), "layers": layers}

    @classmethod
    def from_config(cls, config: dict) -> "Chain":
        return cls(**deserialize_arguments(config, "layers"))


def _cast(values: Any, layer: Any) -> Any:
    """Casts values to the compute dtype of a layer, as Keras does in a call."""
    floating = "float" in keras.backend.standardize_dtype(values.dtype)
    return ops.cast(values, layer.compute_dtype) if floating else values
