"""Initial weights, and the building of layers."""

from typing import Any

import keras

from kerasseq.errors import UserError

_RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish")


def initializer_for(activation: str | None) -> str:
    """Returns the initializer before an activation: He's for rectifiers, and else Glorot's.

    He et al., 2015, equation 10; Glorot and Bengio, 2010, equation 16.
    """
    return "he_uniform" if activation in _RECTIFIERS else "glorot_uniform"


def reinitialize(model: keras.Model, initializer: str) -> None:
    """Initializes all kernels anew, except embeddings, biases and recurrent kernels."""
    for index, variable in enumerate(model.trainable_variables):
        if variable.path.split("/")[-1].endswith("kernel") and "recurrent" not in variable.path:
            sample = type(keras.initializers.get(initializer))(seed=index)
            variable.assign(sample(variable.shape, dtype=variable.dtype))


def build_and_get_width(layer: keras.layers.Layer, shape: Any) -> int:
    """Builds a front end or an encoder if necessary, and returns the width of its output.

    Raises:
        UserError: the layer has no width.
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
    """Builds `layer` if necessary."""
    if not layer.built:
        layer.build(*shapes)
