"""Differentiable loops."""

from collections.abc import Callable
from typing import Any

from keras import ops, tree

from kerasseq.backend.which import name


def scan(step: Callable, init: Any, xs: Any) -> tuple[Any, Any]:
    """Runs `carry, y = step(carry, x)` over the leading axis of `xs`, and stacks the `y`.

    `init`, `xs` and the results are pytrees. The loop is differentiable, also when XLA compiles
    it. On TensorFlow `keras.ops.scan` is not, since it sets no bound on the number of steps; there
    it also requires outputs with the structure of the carry.

    Returns:
        The last carry, and the outputs with a new leading axis of length steps.
    """
    if name() == "jax":
        import jax

        return jax.lax.scan(step, init, xs)
    if name() == "tensorflow":
        import tensorflow as tf

        if not tf.executing_eagerly():
            return _scan_in_graph(step, init, xs)
    carry, outputs = init, []
    steps = tree.flatten(xs)[0].shape[0]
    if steps == 0:
        # A sum over no steps has the shape of a step.
        _, y = step(init, tree.map_structure(lambda leaf: ops.sum(leaf, axis=0), xs))
        return init, tree.map_structure(lambda leaf: leaf[None][:0], y)
    for t in range(steps):
        carry, y = step(carry, tree.map_structure(lambda leaf, t=t: leaf[t], xs))
        outputs.append(y)
    return carry, tree.map_structure(lambda *leaves: ops.stack(leaves, axis=0), *outputs)


def _scan_in_graph(step, init, xs):
    import tensorflow as tf

    leaves = [tf.convert_to_tensor(leaf) for leaf in tree.flatten(xs)]
    length = leaves[0].shape[0]
    length = tf.shape(leaves[0])[0] if length is None else length
    inputs = [
        tf.TensorArray(leaf.dtype, size=length, element_shape=leaf.shape[1:]).unstack(leaf)
        for leaf in leaves
    ]

    def element(t):
        return tree.pack_sequence_as(xs, [array.read(t) for array in inputs])

    # A call outside the loop gives the structure, shapes and types of the outputs. The graph drops
    # it, since nothing uses its results.
    first = [tf.reduce_sum(leaf, 0) if leaf.shape[0] == 0 else leaf[0] for leaf in leaves]
    _, example = step(init, tree.pack_sequence_as(xs, first))
    outputs = [
        tf.TensorArray(leaf.dtype, size=length, element_shape=leaf.shape)
        for leaf in tree.flatten(example)
    ]

    def body(t, carry, outputs):
        carry, y = step(carry, element(t))
        outputs = [a.write(t, leaf) for a, leaf in zip(outputs, tree.flatten(y), strict=True)]
        return t + 1, carry, outputs

    carry = tree.map_structure(tf.convert_to_tensor, init)
    _, carry, outputs = tf.while_loop(
        lambda t, *_: t < length, body, (0, carry, outputs), maximum_iterations=length
    )
    stacked = [array.stack() for array in outputs]
    if isinstance(length, int):
        stacked = [tf.ensure_shape(leaf, [length, *leaf.shape[1:]]) for leaf in stacked]
    return carry, tree.pack_sequence_as(example, stacked)
