"""The way from pictures and clips to vectors: (N, F, H, W, 3) and a mask of frames to a `Memory`.

A picture is a clip of one frame. The regions of a frame follow each other row by row, frame after
frame: S = F * P.
"""

import math
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from kerasseq.checks import Size, checked
from kerasseq.errors import UserError
from kerasseq.initializers import build
from kerasseq.masking import Memory
from kerasseq.serialization import deserialize_arguments, register

_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

# Factor and summand of a scaling of 0 to 255.
_SCALINGS: dict[str, tuple[Any, Any]] = {
    "none": (1.0, 0.0),
    "unit": (1 / 255, 0.0),
    "symmetric": (1 / 127.5, -1.0),
    "torch": (1 / 255 / _DEVIATION, -_MEAN / _DEVIATION),
    "caffe": (1.0, np.array([-103.939, -116.779, -123.68])),
}


def scale(pictures: Any, scaling: str, dtype: str) -> Any:
    """Pictures of 0 to 255, RGB, as a network wants them.

    Args:
        scaling: "unit": x / 255; "symmetric": x / 127.5 - 1; "torch": x / 255 less ImageNet's
            mean, over its deviation; "caffe": BGR less ImageNet's mean; "none": x.
    """
    values = ops.cast(pictures, dtype)
    if scaling == "caffe":
        values = ops.flip(values, axis=-1)
    factor, summand = (np.asarray(number, dtype) for number in _SCALINGS[scaling])
    return values if scaling == "none" else values * factor + summand


class Frames(keras.layers.Layer):
    """What the layers that read frames have in common.

    A subclass has `regions(pictures (M, H, W, 3), real (M,), training) -> (M, P, D)`, with
    `real` False for padding, and sets `width` (D), `size` (H and W) and `grid` (rows and columns
    of the P regions) at once. Values (N, S, D) are
    what a layer that is not trained made before, and pass it unchanged.
    """

    factor = 1
    size: tuple[int, int]
    grid: tuple[int, int]
    width: int

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        n, frames = ops.shape(values)[:2]
        if len(values.shape) == 3:
            return Memory(ops.reshape(values, (n, frames, self.width)), mask)
        # Sizes are given by name, since a graph for batches of all shapes does not know them.
        pictures, real = ops.reshape(values, (-1, *self.size, 3)), ops.reshape(mask, (-1,))
        regions = self.regions(pictures, real, training)
        count = self.grid[0] * self.grid[1]
        regions = ops.reshape(regions, (n, frames * count, self.width))
        return Memory(regions, ops.repeat(mask, count, axis=1))

    def regions(self, pictures: Any, real: Any, training: bool) -> Any:
        raise NotImplementedError


def _pooled(maps: Any, pool: bool) -> Any:
    """(M, h, w, D) to (M, P, D)."""
    if pool:
        return ops.mean(maps, axis=(1, 2))[:, None]
    return ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))


@register()
class PictureEncoder(Frames):
    """Every frame through a network for pictures.

    The network runs as it does after training, also where it is fine-tuned: its batch norms keep
    the means and variances they have, so no frame depends on the others, and none on padding.

    Args:
        backbone: a `keras.Model`, (M, H, W, 3) float -> (M, h, w, D).
        scaling: what it wants of pictures of 0 to 255 (see `scale`).
        pool: a frame is one vector, the mean over its regions (P = 1).
        trainable: fine-tune the network.

    Shapes: values (N, F, H, W, 3) uint8, mask (N, F) -> Memory with (N, F * P, D).

    Raises:
        UserError: there is no such `scaling`, or the backbone gives no maps of a known size.
    """

    @checked
    def __init__(
        self,
        backbone: keras.Model,
        scaling: Literal["none", "unit", "symmetric", "torch", "caffe"] = "none",
        pool: bool = False,
        trainable: bool = False,
        **kwargs: Any,
    ):
        super().__init__(trainable=trainable, **kwargs)
        self.backbone, self.scaling, self.pool = backbone, scaling, pool
        backbone.trainable = trainable
        shape = backbone.output_shape
        if len(shape) != 4 or None in shape[1:]:
            raise UserError(f"A backbone must give maps (M, h, w, D) of a known size, not {shape}.")
        self.size, self.width = tuple(backbone.input_shape[1:3]), shape[-1]
        self.grid = (1, 1) if pool else tuple(shape[1:3])

    def regions(self, pictures: Any, real: Any, training: bool) -> Any:
        pictures = scale(pictures, self.scaling, self.compute_dtype)
        return _pooled(self.backbone(pictures, training=False), self.pool)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "scaling": self.scaling,
            "pool": self.pool,
        }

    @classmethod
    def from_config(cls, config: dict) -> "PictureEncoder":
        return cls(**deserialize_arguments(config, "backbone"))


@register()
class ConvolutionalFeatures(Frames):
    """A small network for pictures, to be trained from nothing.

        x = relu(norm(Conv(x))) for each number of filters

    With batch normalisation (Ioffe and Szegedy, 2015), over all real frames of a batch in training
    and with what was seen then in use; x begins as -1 to 1. A convolution of stride s has a kernel
    of s + 1 rows and columns, at least 3, and divides those of the map by s, rounding up. Without
    the last ones, of stride 1, a region would hold little of what is around it.

    Args:
        size: rows and columns of a frame.
        filters: channels of the convolutions, the last of them D.
        strides: of the convolutions.
        pool: a frame is one vector, the mean over its regions (P = 1).

    Shapes: values (N, F, H, W, 3) uint8, mask (N, F) -> Memory with (N, F * P, D).

    Raises:
        UserError: an argument is out of its range, or there are not as many strides as filters.
    """

    @checked
    def __init__(
        self,
        size: tuple[Size, Size],
        filters: tuple[Size, ...] = (48, 96, 128, 128, 128),
        strides: tuple[Size, ...] = (4, 2, 2, 1, 1),
        pool: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if len(filters) != len(strides):
            raise UserError(
                f"Each convolution has its filters and its stride, but there are {len(filters)} "
                f"filters and {len(strides)} strides."
            )
        self.size, self.filters, self.strides = tuple(size), tuple(filters), tuple(strides)
        self.pool, self.width = pool, self.filters[-1]
        less = math.prod(strides)
        self.grid = (1, 1) if pool else tuple(-(-length // less) for length in self.size)
        self.convolutions = [
            keras.layers.Conv2D(
                count,
                max(3, stride + 1),
                strides=stride,
                padding="same",
                use_bias=False,
                data_format="channels_last",
                kernel_initializer="he_uniform",
                name=f"convolution_{index}",
            )
            for index, (count, stride) in enumerate(zip(self.filters, self.strides, strict=True))
        ]
        self.norms = [
            keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"norm_{index}")
            for index in range(len(self.filters))
        ]

    def build(self, input_shape: Any) -> None:
        shape = (None, *self.size, 3)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            build(convolution, shape)
            shape = convolution.compute_output_shape(shape)
            build(norm, shape)

    def regions(self, pictures: Any, real: Any, training: bool) -> Any:
        values = scale(pictures, "symmetric", self.compute_dtype)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            values = convolution(values)
            every = ops.broadcast_to(real[:, None, None], ops.shape(values)[:3])
            values = ops.relu(norm(values, training=training, mask=every))
        return _pooled(values, self.pool)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "size": self.size,
            "filters": self.filters,
            "strides": self.strides,
            "pool": self.pool,
        }


@register()
class Patches(Frames):
    """Frames cut into squares, each the vector of its numbers, from -1 to 1.

    Dosovitskiy et al., 2021, equation 1, before its projection: put a `Projection` with positions
    and a `TransformerEncoder` behind.

    Args:
        size: rows and columns of a frame.
        patch: rows and columns of a square. What is left over at the right and below is cut off.

    Shapes: values (N, F, H, W, 3) uint8, mask (N, F) -> Memory with (N, F * P, patch * patch * 3).

    Raises:
        UserError: an argument is out of its range, or a frame is smaller than a square.
    """

    @checked
    def __init__(self, size: tuple[Size, Size], patch: Size, **kwargs: Any):
        super().__init__(**kwargs)
        if patch > min(size):
            raise UserError(f"A frame of {size[0]} x {size[1]} has no square of {patch} x {patch}.")
        self.size, self.patch = tuple(size), patch
        self.width = patch * patch * 3
        self.grid = tuple(length // patch for length in self.size)

    def regions(self, pictures: Any, real: Any, training: bool) -> Any:
        (rows, columns), size = self.grid, self.patch
        values = scale(pictures, "symmetric", self.compute_dtype)
        values = values[:, : rows * size, : columns * size]
        values = ops.reshape(values, (-1, rows, size, columns, size * 3))
        values = ops.transpose(values, (0, 1, 3, 2, 4))
        return ops.reshape(values, (-1, rows * columns, self.width))

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "patch": self.patch}
