"""The precision that layers are made for, and weights in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops


@contextmanager
def dtype_policy_scope(policy: Any) -> Iterator[None]:
    """Layers that are made in the block have this dtype policy, those within layers too."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def cast_variable(layer: keras.layers.Layer, variable: Any) -> Any:
    """A variable of a layer as a tensor of its compute dtype.

    Keras casts variables inside `Layer.__call__` alone; methods that are called from elsewhere,
    as a decoder's steps are, cast what they use by this.
    """
    return ops.cast(ops.convert_to_tensor(variable), layer.compute_dtype)
