"""Compiled functions."""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree

from kerasseq.backend.which import name


class Constants:
    """The part of compiled functions that depends on the weights alone: `make()`, a pytree.

    On JAX it is stored from call to call while the variables hold the same arrays, which never
    change. On other backends each call computes it.
    """

    def __init__(self, variables: list, make: Callable):
        self.make, self._weights, self._value = make, None, None
        if name() == "jax":
            self._compiled = compile_function(variables, make)

    def get(self, weights: list) -> Any:
        """Returns the constants for these values of the variables, on JAX."""
        old = self._weights
        if old is None or any(a is not b for a, b in zip(old, weights, strict=True)):
            self._value, self._weights = self._compiled(), weights
        return self._value


def compile_function(
    variables: list, fn: Callable, jit: bool = True, constants: Constants | None = None
) -> Callable:
    """Compiles `fn(*args)`. Each call of the result reads the current weights.

    On JAX the function is always compiled. On PyTorch it runs eagerly, without gradients.

    Args:
        variables: the Keras variables that `fn` uses.
        fn: a function of pytrees of arrays. Each new shape is traced.
        jit: on TensorFlow, whether to compile with XLA; else the function runs as a graph, which
            starts sooner.
        constants: if given, `fn(constants, *args)` is compiled.
    """
    if constants is not None and name() != "jax":
        inner = fn

        def fn(*args):
            return inner(constants.make(), *args)

    if name() == "tensorflow":
        import tensorflow as tf

        functions: dict = {}

        def call_tensorflow(*args):
            # A function for each shape, since TensorFlow warns of one that meets many shapes.
            shapes = tuple(tuple(leaf.shape) for leaf in tree.flatten(args))
            if shapes not in functions:
                functions[shapes] = tf.function(
                    functools.partial(fn), jit_compile=jit, autograph=False
                )
            return functions[shapes](*args)

        return call_tensorflow
    if name() == "torch":
        import torch

        return torch.no_grad()(fn)
    import jax

    @jax.jit
    def with_weights(weights, args):
        mapping = list(zip(variables, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return fn(*args)

    def call(*args):
        weights = [v.value for v in variables]
        if constants is not None:
            args = (constants.get(weights), *args)
        return with_weights(weights, args)

    return call


def mixed_matmul(x: Any, matrix: Any) -> Any:
    """Multiplies x (..., D) with a matrix (D, V) of equal or lower precision.

    x is rounded to the precision of the matrix, and the sums have the precision of x, on every
    backend. On JAX the product is also faster.
    """
    wide, narrow = map(keras.backend.standardize_dtype, (x.dtype, matrix.dtype))
    if wide == narrow:
        return ops.matmul(x, matrix)
    rounded = ops.cast(x, narrow)
    if name() == "jax":
        import jax.numpy as jnp

        return jnp.matmul(rounded, matrix, preferred_element_type=wide)
    return ops.matmul(ops.cast(rounded, wide), ops.cast(matrix, wide))
