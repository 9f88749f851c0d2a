"""Checks of a model's configuration: its classes and the size of its numbers."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from kerasseq.archive.zipped import shorten
from kerasseq.errors import FileError

# The largest configuration: its bytes, its depth, and the number of its objects.
MOST_BYTES = 8 << 20
_MOST_DEPTH, _MOST_OBJECTS = 100, 20_000

# The largest number: the sizes, rates and lengths of models are far below.
_MOST = 10_000_000
_LARGE_NUMBERS = ("seed", "shared_object_id")

_NETWORKS = {"Functional", "Sequential"}
_LAYERS = {
    *("Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D"),
    *("Cropping2D", "Dense", "DepthwiseConv2D", "Dropout", "Flatten", "GlobalAveragePooling2D"),
    *("GlobalMaxPooling2D", "InputLayer", "LayerNormalization", "MaxPooling2D", "Multiply"),
    *("Normalization", "ReLU", "Rescaling", "Reshape", "SeparableConv2D", "ZeroPadding2D"),
}
_POLICIES = {"DTypePolicy", "DTypePolicyMap", "QuantizedDTypePolicy"}

# The classes of Keras that a model may contain, by module; a star stands for all of a module.
# Classes that read files, run code or hold a model of another framework are not among them.
_KERAS = {
    "keras": _NETWORKS | _POLICIES,
    "keras.models": _NETWORKS,
    "keras.src.models.functional": _NETWORKS,
    "keras.src.models.sequential": _NETWORKS,
    "keras.dtype_policies": _POLICIES,
    "keras.layers": _LAYERS,
    "keras.src.applications.convnext": {"LayerScale", "StochasticDepth"},
    "keras.src.applications.inception_resnet_v2": {"CustomScaleLayer"},
    "keras.src.ops.numpy": {"Add", "Divide", "Multiply", "Subtract", "TrueDivide"},
    "keras.activations": "*",
    "keras.constraints": "*",
    "keras.initializers": "*",
    "keras.regularizers": "*",
}
_MARKS = {"__keras_tensor__"}


def read_config(text: bytes, path: str | Path) -> dict:
    """Returns the configuration of a model after checks of everything except its card.

    The configuration of `compile` is dropped; loading does not need it.

    Args:
        text: the content of the configuration file.
        path: the model's file, for the error.

    Raises:
        FileError: the text is no configuration, a class is not allowed in a model, or a number is
            too large.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(path, "its configuration is damaged") from error
    config = whole.get("config") if isinstance(whole, dict) else None
    if not isinstance(config, dict) or not isinstance(config.get("card", {}), dict):
        raise FileError(path, "its configuration is not that of a model")
    card = config.pop("card", {})
    _check(whole, path)
    if _measure_depth(card) > _MOST_DEPTH:
        raise FileError(path, "its card is nested too deeply")
    config["card"] = card
    return whole


def _check(whole: dict, path: str | Path) -> None:
    left: list[tuple[Any, str, int]] = [(whole, "", 0)]
    objects = 0
    while left:
        value, key, depth = left.pop()
        if depth > _MOST_DEPTH or objects > _MOST_OBJECTS:
            raise FileError(path, "its configuration is too large or nested too deeply")
        if isinstance(value, dict):
            value.pop("compile_config", None)
            if "class_name" in value:
                objects += 1
                _check_class(value, path)
                if value["class_name"] == "Functional":
                    _check_graph(value.get("config"), path)
            left += [(item, name, depth + 1) for name, item in value.items()]
        elif isinstance(value, list):
            left += [(item, key, depth + 1) for item in value]
        elif isinstance(value, int | float) and key not in _LARGE_NUMBERS:
            if not math.isfinite(value) or abs(value) > _MOST:
                raise FileError(path, f"{shorten(key)} in its configuration is beyond all measure")


def _check_class(named: dict, path: str | Path) -> None:
    """Checks that the class of an object is registered, or is an allowed class of Keras."""
    name, module = named["class_name"], named.get("module")
    registered = named.get("registered_name", name)
    if name in _MARKS and module is None:
        return
    kind = keras.saving.get_registered_object(registered) if isinstance(registered, str) else None
    if isinstance(kind, type):
        return
    of_keras = _KERAS.get(module, ()) if isinstance(module, str) else ()
    known = of_keras == "*" or name in of_keras
    if not known or not isinstance(name, str) or registered not in (None, name):
        raise FileError(
            path,
            f"its configuration names {shorten(f'{module}.{name}')}, which is part of no model",
        )


def _check_graph(network: Any, path: str | Path) -> None:
    """Checks that the layers of a network are in order; otherwise Keras may loop forever."""
    calls: dict[str, int] = {}
    in_order = True
    try:
        for layer in network["layers"]:
            for name, call, output in _list_inputs(layer["inbound_nodes"]):
                in_order &= 0 <= call < calls.get(name, 0) and output == 0
            calls[layer["name"]] = len(layer["inbound_nodes"]) or 1
    except (KeyError, TypeError, ValueError):
        in_order = False
    if not in_order:
        raise FileError(path, "the layers of a network in it do not follow each other")


def _list_inputs(value: Any) -> Iterator[tuple]:
    """Yields the layer, the call and the output that each input tensor of a layer comes from."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "keras_history" in value:
                name, call, output = value["keras_history"]
                yield name, call, output
            left += value.values()
        elif isinstance(value, list):
            left += value


def _measure_depth(value: Any) -> int:
    """Returns the depth of nested lists and dictionaries."""
    depth, level = 0, [value]
    while level and depth <= _MOST_DEPTH:
        depth += 1
        level = [
            below
            for item in level
            if isinstance(item, dict | list)
            for below in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
