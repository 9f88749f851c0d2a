"""Samples from distributions, by given uniform random numbers."""

from typing import Any

from keras import ops


def sample_categorical(mass: Any, uniforms: Any) -> Any:
    """Samples an index: the first at which the cumulative mass exceeds u times the total mass.

    Args:
        mass: (..., V), at least 0, and not all 0.
        uniforms: (...), in [0, 1), far enough below 1 that u * total < total holds in float32.

    Returns:
        (...) int32. An index without mass is never sampled.
    """
    total = ops.cumsum(mass, axis=-1)
    # Rounding alone could select an index without mass.
    exceeds = ops.logical_and(total > uniforms[..., None] * total[..., -1:], mass > 0)
    return ops.cast(ops.argmax(ops.cast(exceeds, "int32"), axis=-1), "int32")
