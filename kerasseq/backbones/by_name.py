"""Backbones by name, ready for a `PictureEncoder`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from kerasseq.archive import WEIGHTS, check_weights, unpack_model
from kerasseq.backbones.folding import fold_batch_norms
from kerasseq.backbones.lite0 import efficientnet_lite0, load_lite0_weights
from kerasseq.errors import UserError

LITE0 = "efficientnet-lite0"

# What the functions of keras.applications begin with, longest first, and how their pictures are
# scaled.
_FAMILIES = {
    "ConvNeXt": "none",
    "DenseNet": "torch",
    "EfficientNet": "none",
    "Inception": "symmetric",
    "MobileNetV3": "none",
    "MobileNet": "symmetric",
    "NASNet": "symmetric",
    "VGG": "caffe",
    "Xception": "symmetric",
}


def list_backbones() -> list[str]:
    """The backbones that `load_backbone` makes."""
    return [LITE0, *sorted(name for name in dir(keras.applications) if _scaling(name))]


def load_backbone(
    name: str, size: tuple[int, int], weights: str | Path | None = "imagenet"
) -> tuple[keras.Model, str]:
    """A network without its classifier, and the scaling that its pictures need.

    Batch norms are folded into convolutions, and otherwise keep what they learnt.

    Args:
        name: "efficientnet-lite0", or a network of `keras.applications`, as "ResNet50".
        size: (H, W) of the pictures.
        weights: "imagenet": those of a package for "efficientnet-lite0", else downloaded by
            Keras; a file: a `.pth` for "efficientnet-lite0", else what `load_weights` reads;
            None: drawn at random.

    Returns:
        The arguments of a `PictureEncoder`.

    Raises:
        UserError: there is no such network, none for such pictures, or its weights cannot be had.
    """
    if name == LITE0:
        model = efficientnet_lite0(size)
        if weights is not None:
            load_lite0_weights(model, None if weights == "imagenet" else weights)
        return model, "none"
    scaling = _scaling(name)
    if scaling is None:
        raise UserError(f"There is no backbone {name!r}; there are: {', '.join(list_backbones())}.")
    if weights == "imagenet":
        return fold_batch_norms(_downloaded(name, size)), scaling
    model = _made(name, size, None)
    if weights is not None:
        _load(model, name, Path(weights))
    return fold_batch_norms(model), scaling


@contextlib.contextmanager
def _checked(path: Path) -> Iterator[Path]:
    """An HDF5 file of weights, which may be in a `.keras` file, after the checks of strangers'."""
    if path.suffix == ".keras":
        with unpack_model(path) as found:
            yield found.folder / WEIGHTS
    else:
        check_weights(path)
        yield path


def _scaling(name: str) -> str | None:
    """None where `keras.applications` has no such network."""
    if not callable(getattr(keras.applications, name, None)):
        return None
    if name.startswith("ResNet"):
        return "symmetric" if name.endswith("V2") else "caffe"
    return next((way for family, way in _FAMILIES.items() if name.startswith(family)), None)


def _made(name: str, size: tuple[int, int], weights: str | None) -> keras.Model:
    make: Any = getattr(keras.applications, name)
    try:
        return make(include_top=False, weights=weights, input_shape=(*size, 3))
    except ValueError as error:
        rows, columns = size
        raise UserError(f"{name} takes no pictures of {rows} x {columns}: {error}") from error


def _downloaded(name: str, size: tuple[int, int]) -> keras.Model:
    try:
        return _made(name, size, "imagenet")
    except UserError:
        raise
    # Keras raises a bare Exception where it cannot download.
    except Exception as error:
        if "URL fetch failure" not in str(error):
            raise
        raise UserError(
            f"The weights of {name} could not be downloaded: give a file of them, or take "
            f"{LITE0!r}, whose weights come with a package ({error})."
        ) from error


def _load(model: keras.Model, name: str, path: Path) -> None:
    if not path.is_file():
        raise UserError(f"There is no file {path} with weights of {name}.")
    try:
        with _checked(path) as weights:
            model.load_weights(weights)
    except UserError:
        raise
    except (ValueError, OSError, KeyError) as error:
        raise UserError(f"{path} holds no weights of {name}: {error}") from error
