"""Compiled functions."""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree

from kerasseq.backend.which import name


class Constants:
    """What compiled functions use of the weights alone: `make()`, a pytree of arrays.

    JAX keeps it from call to call while the variables hold the same arrays, which never change;
    elsewhere it is made within each call.
    """

    def __init__(self, variables: list, make: Callable):
        self.make, self._weights, self._kept = make, None, None
        if name() == "jax":
            self._compiled = compile_function(variables, make)

    def get(self, weights: list) -> Any:
        """On JAX, the constants for these values of the variables."""
        old = self._weights
        if old is None or any(a is not b for a, b in zip(old, weights, strict=True)):
            self._kept, self._weights = self._compiled(), weights
        return self._kept


def compile_function(
    variables: list, fn: Callable, jit: bool = True, constants: Constants | None = None
) -> Callable:
    """`fn(*args)` as one compiled function that reads the weights anew at every call.

    `variables` are the Keras variables that `fn` uses. The arguments are pytrees of arrays; a
    new shape is a new trace. With `jit` the function is compiled by XLA on TensorFlow, else it
    runs as a graph, which starts sooner. JAX always compiles. PyTorch runs eagerly and without
    gradients. With `constants` it is `fn(constants, *args)` that is compiled.
    """
    if constants is not None and name() != "jax":
        inner = fn

        def fn(*args):
            return inner(constants.make(), *args)

    if name() == "tensorflow":
        import tensorflow as tf

        functions: dict = {}

        def call_tensorflow(*args):
            # A function for each shape: TensorFlow takes one that meets many for a mistake, and
            # says so on the terminal.
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
    """x (..., D) times a matrix (D, V) that may be of lower precision, with sums in that of x.

    What is rounded is the same on every backend; on JAX the product is also faster for it.
    """
    wide, narrow = map(keras.backend.standardize_dtype, (x.dtype, matrix.dtype))
    if wide == narrow:
        return ops.matmul(x, matrix)
    rounded = ops.cast(x, narrow)
    if name() == "jax":
        import jax.numpy as jnp

        return jnp.matmul(rounded, matrix, preferred_element_type=wide)
    return ops.matmul(ops.cast(rounded, wide), ops.cast(matrix, wide))
