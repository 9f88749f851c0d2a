"""Draws from distributions, of random numbers that are drawn before."""

from typing import Any

from keras import ops


def sample_categorical(mass: Any, uniforms: Any) -> Any:
    """One index each: the first at which the sum of the masses passes u times their total.

    Args:
        mass: (..., V), at least 0, not all of them.
        uniforms: (...), in [0, 1), far enough below 1 that u * total < total holds in float32.

    Returns:
        (...) int32. What has no mass is never drawn.
    """
    total = ops.cumsum(mass, axis=-1)
    # One without mass could pass only by rounding.
    passed = ops.logical_and(total > uniforms[..., None] * total[..., -1:], mass > 0)
    return ops.cast(ops.argmax(ops.cast(passed, "int32"), axis=-1), "int32")
