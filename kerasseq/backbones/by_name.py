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

# Prefixes of the functions of keras.applications, the longest first, and the scaling of their
# pictures.
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
    """Returns the names that `load_backbone` takes."""
    return [LITE0, *sorted(name for name in dir(keras.applications) if _scaling(name))]


def load_backbone(
    name: str, size: tuple[int, int], weights: str | Path | None = "imagenet"
) -> tuple[keras.Model, str]:
    """Loads a network without its classifier, and returns it with the scaling of its pictures.

    Batch norms are folded into the convolutions where possible.

    Args:
        name: "efficientnet-lite0", or the name of a network of `keras.applications`, for example
            "ResNet50".
        size: (H, W), the size of the pictures.
        weights: "imagenet" takes the weights of "efficientnet-lite0" from a package, and lets
            Keras download those of the others. A path names a file: a `.pth` for
            "efficientnet-lite0", and else a file that `load_weights` reads. None initialises the
            weights at random.

    Returns:
        The arguments `backbone` and `scaling` of a `PictureEncoder`.

    Raises:
        UserError: there is no such network, it takes no pictures of this size, or its weights
            cannot be loaded.

    Example:

    >>> import kerasseq
    >>> network, scaling = kerasseq.backbones.load_backbone("efficientnet-lite0", (64, 64), None)
    >>> network.output_shape, scaling
    ((None, 2, 2, 320), 'none')
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
        return fold_batch_norms(_download(name, size)), scaling
    model = _build(name, size, None)
    if weights is not None:
        _load(model, name, Path(weights))
    return fold_batch_norms(model), scaling


@contextlib.contextmanager
def _open_weights(path: Path) -> Iterator[Path]:
    """Yields the path of an HDF5 file of weights, which may be in a `.keras` file, once checked."""
    if path.suffix == ".keras":
        with unpack_model(path) as archive:
            yield archive.folder / WEIGHTS
    else:
        check_weights(path)
        yield path


def _scaling(name: str) -> str | None:
    """Returns the scaling of a network of `keras.applications`, None if there is none."""
    if not callable(getattr(keras.applications, name, None)):
        return None
    if name.startswith("ResNet"):
        return "symmetric" if name.endswith("V2") else "caffe"
    return next((way for family, way in _FAMILIES.items() if name.startswith(family)), None)


def _build(name: str, size: tuple[int, int], weights: str | None) -> keras.Model:
    make: Any = getattr(keras.applications, name)
    try:
        return make(include_top=False, weights=weights, input_shape=(*size, 3))
    except ValueError as error:
        rows, columns = size
        raise UserError(f"{name} takes no pictures of {rows} x {columns}: {error}") from error


def _download(name: str, size: tuple[int, int]) -> keras.Model:
    try:
        return _build(name, size, "imagenet")
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
        with _open_weights(path) as weights:
            model.load_weights(weights)
    except UserError:
        raise
    except (ValueError, OSError, KeyError) as error:
        raise UserError(f"{path} holds no weights of {name}: {error}") from error
