"""What differs between TensorFlow, JAX and PyTorch; no other module asks which of them runs."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree


def name() -> str:
    """The backend that runs: "tensorflow", "jax" or "torch"."""
    return keras.backend.backend()


def scan(step: Callable, init: Any, xs: Any, length: int | None = None) -> tuple[Any, Any]:
    """Run `carry, y = step(carry, x)` over the leading axis of `xs` and stack the `y`.

    `init`, `xs` and the results are pytrees; `xs` may be None when `length` is given.
    It can be trained through, also when compiled by XLA, for which `keras.ops.scan` on
    TensorFlow lacks a bound on the number of steps, and also wants outputs shaped as the carry.

    Returns:
        The last carry, and the outputs with a new leading axis of length steps.
    """
    if name() == "tensorflow":
        return _scan_tensorflow(step, init, xs, length)
    if name() == "torch":
        return _scan_unrolled(step, init, xs, length)
    import jax

    return jax.lax.scan(step, init, xs, length)


def _scan_unrolled(step, init, xs, length):
    if length is None:
        length = tree.flatten(xs)[0].shape[0]
    carry, outputs = init, []
    for t in range(length):
        x = None if xs is None else tree.map_structure(lambda leaf, t=t: leaf[t], xs)
        carry, y = step(carry, x)
        outputs.append(y)
    return carry, tree.map_structure(lambda *leaves: ops.stack(leaves, axis=0), *outputs)


def _scan_tensorflow(step, init, xs, length):
    import tensorflow as tf

    leaves = [] if xs is None else tree.flatten(xs)
    static_length = length if length is not None else leaves[0].shape[0]
    if static_length is not None and static_length <= _UNROLL:
        return _scan_unrolled(step, init, xs, static_length)
    length = tf.shape(leaves[0])[0] if static_length is None else static_length

    def arrays(leaf):
        array = tf.TensorArray(
            leaf.dtype, size=length, element_shape=leaf.shape[1:], clear_after_read=False
        )
        return array.unstack(leaf)

    inputs = [arrays(leaf) for leaf in leaves]

    def element(t):
        return None if xs is None else tree.pack_sequence_as(xs, [a.read(t) for a in inputs])

    # One traced call outside the loop tells the outputs' structure, shapes and types.
    with tf.init_scope() if tf.executing_eagerly() else tf.name_scope("shapes"):
        _, example = step(init, element(0))
    carry = tree.map_structure(tf.convert_to_tensor, init)
    outputs = [
        tf.TensorArray(leaf.dtype, size=length, element_shape=leaf.shape)
        for leaf in tree.flatten(example)
    ]

    def body(t, carry, outputs):
        carry, y = step(carry, element(t))
        outputs = [a.write(t, leaf) for a, leaf in zip(outputs, tree.flatten(y), strict=True)]
        return t + 1, carry, outputs

    _, carry, outputs = tf.while_loop(
        lambda t, *_: t < length, body, (0, carry, outputs), maximum_iterations=length
    )
    return carry, tree.pack_sequence_as(example, [a.stack() for a in outputs])


# Up to this many steps a loop of known length is unrolled into the TensorFlow graph.
_UNROLL = 0


def compiled(model: keras.Model, fn: Callable, jit: bool = True) -> Callable:
    """`fn(*args)` as one compiled function that reads the weights of `model` at every call.

    The arguments are pytrees of arrays; a new shape is a new trace. With `jit` the function is
    compiled by XLA on TensorFlow, else it runs as a graph, which starts sooner. JAX always
    compiles. PyTorch runs eagerly and without gradients.
    """
    if name() == "tensorflow":
        import tensorflow as tf

        return tf.function(fn, jit_compile=jit, autograph=False, reduce_retracing=False)
    if name() == "torch":
        import torch

        return torch.no_grad()(fn)
    import jax

    @jax.jit
    def with_weights(weights, args):
        mapping = list(zip(model.variables, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return fn(*args)

    def call(*args):
        return with_weights([v.value for v in model.variables], args)

    return call
