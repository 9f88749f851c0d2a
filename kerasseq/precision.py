"""Weights in the precision that a layer computes in."""

from typing import Any

import keras
from keras import ops


def weight(layer: keras.layers.Layer, variable: Any) -> Any:
    """A variable of a layer as a tensor of its compute dtype.

    Keras casts variables inside `Layer.__call__` alone; methods that are called from elsewhere,
    as a decoder's steps are, cast what they use by this.
    """
    return ops.cast(ops.convert_to_tensor(variable), layer.compute_dtype)
