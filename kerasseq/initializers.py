"""Initial weights that fit the activation behind them."""

from typing import Any

import keras

_RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish")


def matching(activation: str | None, initializer: Any = None) -> Any:
    """He's uniform initialiser before a rectifier, Glorot's before anything else.

    He et al., 2015, equation 10; Glorot and Bengio, 2010, equation 16. An `initializer` that is
    given is used as it is.
    """
    if initializer is not None:
        return initializer
    return "he_uniform" if activation in _RECTIFIERS else "glorot_uniform"


def layer_of(cls: type, *args: Any, activation: str | None = None, **kwargs: Any) -> Any:
    """A Keras layer whose kernel is initialised to match its activation."""
    return cls(*args, activation=activation, kernel_initializer=matching(activation), **kwargs)


def build(layer: keras.layers.Layer, *shapes: Any) -> None:
    """Build `layer` unless it is."""
    if not layer.built:
        layer.build(*shapes)
