"""Initial weights that fit the activation behind them."""

from typing import Any

import keras

_RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish")


def matching(activation: str | None) -> str:
    """He's uniform initialiser before a rectifier, Glorot's before anything else.

    He et al., 2015, equation 10; Glorot and Bengio, 2010, equation 16.
    """
    return "he_uniform" if activation in _RECTIFIERS else "glorot_uniform"


def redraw(model: keras.Model, initializer: str) -> None:
    """Draw all kernels anew from one initialiser; embeddings, biases and recurrent kernels stay."""
    for index, variable in enumerate(model.trainable_variables):
        if variable.path.split("/")[-1].endswith("kernel") and "recurrent" not in variable.path:
            drawn = type(keras.initializers.get(initializer))(seed=index)
            variable.assign(drawn(variable.shape, dtype=variable.dtype))


def build(layer: keras.layers.Layer, *shapes: Any) -> None:
    """Build `layer` unless it is."""
    if not layer.built:
        layer.build(*shapes)
