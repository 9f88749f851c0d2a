"""Layers one after the other."""

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
    """Layers with the contract of an encoder, each over the memory of the one before.

    A pyramid (Chan et al., 2016, section 3.1) is a chain of `RNNEncoder` and `FrameStacking(2)`.

    Args:
        layers: `layer(values, mask, training) -> Memory`, with `width` once built.

    Shapes: those of the first layer's input -> those of the last one's memory. Streams if all
    its layers do.

    Raises:
        UserError: there is no layer, or one is no encoder.
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
    def lead(self) -> int:
        return sum(layer.lead * factor for layer, factor in self._factors())

    @property
    def block(self) -> int:
        return math.lcm(*(layer.block * factor for layer, factor in self._factors()))

    def _factors(self) -> list[tuple[Any, int]]:
        """Each layer, and how many steps of the chain's input are one of the layer's."""
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
    """As Keras does where a layer is called."""
    floating = "float" in keras.backend.standardize_dtype(values.dtype)
    return ops.cast(values, layer.compute_dtype) if floating else values
