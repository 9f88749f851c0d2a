"""The shapes of a model's parts in its summary."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras


@contextlib.contextmanager
def output_shapes(shapes: Mapping[keras.layers.Layer, tuple]) -> Iterator[None]:
    """Gives layers the output shapes that `keras.Model.summary` prints, within the block.

    Keras knows the output shapes of layers that it calls on symbolic tensors alone, and looks for
    an attribute `output_shape` in others.
    """
    layers = [layer for layer in shapes if not hasattr(layer, "output_shape")]
    for layer in layers:
        # Not as an attribute that Keras tracks: the layer stays as it is.
        object.__setattr__(layer, "output_shape", shapes[layer])
    try:
        yield
    finally:
        for layer in layers:
            object.__delattr__(layer, "output_shape")


def part_shapes(model: Any) -> dict[keras.layers.Layer, tuple]:
    """Returns the output shape of each part that computes; None is a size that may vary."""
    joiner, size = getattr(model, "joiner", None), model.vocabulary_size
    shapes: dict[keras.layers.Layer, tuple] = {}
    for name in ("frontend", "encoder", "decoder"):
        layer = getattr(model, name, None)
        if layer is not None:
            width = getattr(layer, "feature_width" if name == "decoder" else "width", None)
            shapes[layer] = (None, None, size if name == "decoder" and joiner is None else width)
    for name, axes in (("head", 2), ("joiner", 3)):
        if (layer := getattr(model, name, None)) is not None:
            shapes[layer] = (*[None] * axes, size)
    return shapes
