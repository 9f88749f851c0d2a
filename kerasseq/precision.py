"""The dtype policy of layers, and variables in their compute dtype."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops


@contextmanager
def dtype_policy_scope(policy: Any) -> Iterator[None]:
    """A context in which layers, and the layers within them, are created with a dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def cast_variable(layer: keras.layers.Layer, variable: Any) -> Any:
    """Returns a variable of a layer as a tensor of its compute dtype.

    Keras casts variables only within `Layer.__call__`. Methods that are called from elsewhere, for
    example the steps of a decoder, cast them with this function.
    """
    return ops.cast(ops.convert_to_tensor(variable), layer.compute_dtype)
