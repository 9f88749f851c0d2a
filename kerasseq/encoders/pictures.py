"""Encoders of pictures and clips: (N, F, H, W, 3) and a mask of frames to a `Memory`.

A picture is a clip of one frame. A frame has P regions, row by row, and the frames follow each
other: S = F * P.
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

# The factor and the summand of each scaling.
_SCALINGS: dict[str, tuple[Any, Any]] = {
    "none": (1.0, 0.0),
    "unit": (1 / 255, 0.0),
    "symmetric": (1 / 127.5, -1.0),
    "torch": (1 / 255 / _DEVIATION, -_MEAN / _DEVIATION),
    "caffe": (1.0, np.array([-103.939, -116.779, -123.68])),
}


def scale(pictures: Any, scaling: str, dtype: str) -> Any:
    """Scales pictures of 0 to 255, RGB, to the numbers that a network reads.

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
    """Base of the layers that read frames.

    A subclass defines `regions(pictures (M, H, W, 3), real (M,), training) -> (M, P, D)`, where
    `real` is False for padding. Its constructor sets `width` (D), `size` (H and W) and `grid`
    (the rows and columns of the P regions).

    Values (N, S, D) pass unchanged: they are the output of such a layer, computed before the
    training of a model in which the layer is frozen.
    """

    factor = 1
    size: tuple[int, int]
    grid: tuple[int, int]
    width: int

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        n, frames = ops.shape(values)[:2]
        if len(values.shape) == 3:
            return Memory(ops.reshape(values, (n, frames, self.width)), mask)
        # The sizes come from the layer, since a graph for batches of all shapes has none.
        pictures, real = ops.reshape(values, (-1, *self.size, 3)), ops.reshape(mask, (-1,))
        regions = self.regions(pictures, real, training)
        count = self.grid[0] * self.grid[1]
        regions = ops.reshape(regions, (n, frames * count, self.width))
        return Memory(regions, ops.repeat(mask, count, axis=1))

    def regions(self, pictures: Any, real: Any, training: bool) -> Any:
        raise NotImplementedError


def _pool(maps: Any, pool: bool) -> Any:
    """Flattens maps (M, h, w, D) to regions (M, P, D), or averages them to one region."""
    if pool:
        return ops.mean(maps, axis=(1, 2))[:, None]
    return ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))


@register()
class PictureEncoder(Frames):
    """An encoder that applies a network for pictures to every frame.

    The network always runs in inference mode, also where it is fine-tuned: its batch norms use
    their moving means and variances. So a frame depends neither on other frames nor on padding.

    Args:
        backbone: a `keras.Model`, (M, H, W, 3) float -> (M, h, w, D).
        scaling: how the backbone wants pictures of 0 to 255 scaled: "unit", "symmetric", "torch",
            "caffe" or "none" (see `scale`).
        pool: whether to average the regions of a frame to one vector (P = 1).
        trainable: whether to fine-tune the backbone.

    Shapes: values (N, F, H, W, 3) uint8, mask (N, F) -> Memory with values (N, F * P, D).

    Raises:
        UserError: there is no such `scaling`, or the backbone gives no maps of a known size.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> network, scaling = kerasseq.backbones.load_backbone("MobileNetV3Small", (64, 64), None)
    >>> encoder = kerasseq.encoders.PictureEncoder(network, scaling)
    >>> memory = encoder(np.zeros((1, 1, 64, 64, 3), "uint8"), np.ones((1, 1), bool))
    >>> tuple(memory.values.shape)
    (1, 4, 576)
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
        return _pool(self.backbone(pictures, training=False), self.pool)

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
    """A small convolutional network for pictures, which is trained with the model.

        x = relu(norm(Conv(x))) for each number of filters

    The pictures are scaled to numbers from -1 to 1. The normalisation is batch normalisation
    (Ioffe and Szegedy, 2015) over the real frames of a batch. A convolution of stride s has a
    kernel of s + 1 rows and columns, at least 3, and divides the size of the map by s, rounded
    up. The last convolutions have stride 1, so that a region also reads its surroundings.

    Args:
        size: rows and columns of a frame.
        filters: channels of the convolutions. The last number is D.
        strides: strides of the convolutions.
        pool: whether to average the regions of a frame to one vector (P = 1).

    Shapes: values (N, F, H, W, 3) uint8, mask (N, F) -> Memory with values (N, F * P, D).

    Raises:
        UserError: an argument is out of its range, or the numbers of strides and filters differ.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> encoder = kerasseq.encoders.ConvolutionalFeatures((32, 32), (8, 16), (4, 2))
    >>> memory = encoder(np.zeros((1, 2, 32, 32, 3), "uint8"), np.ones((1, 2), bool))
    >>> tuple(memory.values.shape)
    (1, 32, 16)
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
        total = math.prod(strides)
        self.grid = (1, 1) if pool else tuple(-(-length // total) for length in self.size)
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
            mask = ops.broadcast_to(real[:, None, None], ops.shape(values)[:3])
            values = ops.relu(norm(values, training=training, mask=mask))
        return _pool(values, self.pool)

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
    """Cuts frames into square patches.

    Each patch becomes the vector of its numbers, from -1 to 1. Dosovitskiy et al., 2021,
    equation 1, without the projection. A `Projection` with positions and a `TransformerEncoder`
    follow.

    Args:
        size: rows and columns of a frame.
        patch: rows and columns of a patch. An incomplete patch at the right or below is dropped.

    Shapes: values (N, F, H, W, 3) uint8, mask (N, F) -> Memory with values (N, F * P, patch *
    patch * 3).

    Raises:
        UserError: an argument is out of its range, or a frame is smaller than a patch.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> layer = kerasseq.encoders.Patches(size=(32, 32), patch=16)
    >>> memory = layer(np.zeros((1, 1, 32, 32, 3), "uint8"), np.ones((1, 1), bool))
    >>> tuple(memory.values.shape)
    (1, 4, 768)
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
