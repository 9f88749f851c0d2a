"""Initial weights that fit the activation behind them."""

from typing import Any

import keras

from kerasseq.errors import UserError

_RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish")


def initializer_for(activation: str | None) -> str:
    """He's uniform initialiser before a rectifier, Glorot's before anything else.

    He et al., 2015, equation 10; Glorot and Bengio, 2010, equation 16.
    """
    return "he_uniform" if activation in _RECTIFIERS else "glorot_uniform"


def reinitialize(model: keras.Model, initializer: str) -> None:
    """Draw all kernels anew from one initialiser; embeddings, biases and recurrent kernels stay."""
    for index, variable in enumerate(model.trainable_variables):
        if variable.path.split("/")[-1].endswith("kernel") and "recurrent" not in variable.path:
            drawn = type(keras.initializers.get(initializer))(seed=index)
            variable.assign(drawn(variable.shape, dtype=variable.dtype))


def build_and_get_width(layer: keras.layers.Layer, shape: Any) -> int:
    """Build a front end or an encoder unless it is, and return the width of what it makes.

    Raises:
        UserError: it has no width.
    """
    build(layer, shape)
    width = getattr(layer, "width", None)
    if not isinstance(width, int):
        raise UserError(
            f"{type(layer).__name__} has no width: as a front end or an encoder it sets "
            "self.width, the D of the vectors that it makes, where it is built."
        )
    return width


def build(layer: keras.layers.Layer, *shapes: Any) -> None:
    """Build `layer` unless it is."""
    if not layer.built:
        layer.build(*shapes)
