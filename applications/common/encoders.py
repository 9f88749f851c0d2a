"""The encoder of another model: its settings, and its weights."""

import itertools
import json
import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from kerasseq.acoustics.augment import Augmentation
from kerasseq.applications.common.starting import load_start
from kerasseq.config import from_dict, list_keys, to_dict
from kerasseq.encoders import Chain, FrameStacking, RowConvolution
from kerasseq.errors import UserError
from kerasseq.models import SequenceModel

# Settings of an encoder that a second training may change: a recogniser may learn to stream.
_STREAMING = ("chunk", "ahead", "left")
_FREE = {"dropout", "dither", "normalization", *_STREAMING}

# The same in the configurations of layers.
_NOT_COMPARED = {"name", "trainable", "dtype", "attention_dropout", "offset", *_FREE}


def guess_settings(kinds: Iterable[type], layers: Sequence[Any], build: Callable) -> Any | None:
    """Returns the settings that build given layers, or None if there are none.

    Args:
        kinds: dataclasses of settings. A field has the name of the argument of a layer.
        layers: the layers, without those that make features and change them in training.
        build: makes the layers of settings.
    """
    wanted, values = _describe(layers, set()), _collect_values(layers)
    for kind in kinds:
        names = [field.name for field in fields(kind)]
        chosen = {name: values[name] for name in names if name in values}
        # A pyramid of one layer has chunks of twice the size.
        for pyramid, part in itertools.product((False, True), (1, 2)):
            some = chosen | {"pyramid": pyramid} if "pyramid" in names else chosen
            some |= {name: some[name] // part for name in ("chunk", "ahead") if name in some}
            try:
                settings = kind(**some)
                if _describe(build(settings), set()) == wanted:
                    return settings
            except ValueError:  # of another kind of encoder
                continue
    return None


def _collect_values(layers: Sequence[Any]) -> dict[str, Any]:
    """Returns the arguments of layers as settings have them."""
    values: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.get_config().items():
            value = tuple(value) if isinstance(value, list) else value
            if name == "layers":
                values[name] = values.get(name, 0) + value
            elif name in ("chunk", "ahead"):
                values[name] = value or 0  # of the last layer
            elif name not in ("kind", "name", "dtype"):
                values.setdefault(name, value)
    values["stack"] = math.prod(x.factor for x in layers if isinstance(x, FrameStacking))
    values["lookahead"] = next((x.steps for x in layers if isinstance(x, RowConvolution)), 1)
    return values


def flatten_settings(section: str, settings: Any) -> dict[str, Any]:
    """Returns the dotted keys of settings with their values, as TOML has them."""
    values = {key: getattr(settings, key) for key in list_keys(settings)}
    return {
        f"{section}.{key}": list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
    }


def adopt_encoder(
    settings: Any,
    given: Mapping[str, str],
    by_user: Mapping[str, str],
    reads: str,
    read_encoder: Callable[[Any, SequenceModel], dict[str, Any]],
) -> Any:
    """Returns a configuration with the encoder of the model that `encoder_from` names.

    What the user gives stays, if weights do not depend on it.

    Args:
        settings: the configuration.
        given: the place of each setting that is given.
        by_user: those of them that are given elsewhere than in the head's own files.
        reads: what the model must read.
        read_encoder: returns the settings of a model's encoder by their dotted keys, given the
            configuration; empty if no settings build it.

    Raises:
        UserError: the model cannot be loaded, or the user gives another value.
    """
    name = settings.training.encoder_from
    own = read_encoder(settings, load_start(name, reads))
    if not own:
        return settings
    of_kind = "model.encoder."
    strange = [key for key in by_user if key.startswith(of_kind) and key not in own]
    strange = [key for key in strange if key.rpartition(".")[2] not in (*_FREE, "weights")]
    wrong = [key for key in _list_differences(settings, own) if key in by_user]
    if wrong or strange:
        first = (wrong or strange)[0]
        raise UserError(
            f"{by_user[first]}: training.encoder_from copies the encoder of {name}, which has "
            + (f"{format_overrides(own, wrong)}; " if wrong else "no such setting; ")
            + f"leave out {', '.join([*wrong, *strange])}"
        )
    values = to_dict(settings)
    changed = [s for s in ("model", "model.encoder") if _differ(settings, own, f"{s}.kind")]
    for section in changed:
        values = _clear_section(values, section, by_user)
    for key, value in own.items():
        free = key.rpartition(".")[2] in _FREE
        mine = given if free and not changed else by_user
        streams = key.rpartition(".")[2] in _STREAMING
        if key not in mine and not (streams and f"{of_kind}chunk" in mine):
            _set_value(values, key, value)
    return from_dict(type(settings), values)


def _list_differences(settings: Any, own: Mapping[str, Any]) -> list[str]:
    """Returns the keys of an encoder's settings on which weights depend, and which differ."""
    must = [key for key in own if key.rpartition(".")[2] not in _FREE]
    return [key for key in must if _differ(settings, own, key)]


def _differ(settings: Any, own: Mapping[str, Any], key: str) -> bool:
    if key not in own:
        return False
    value = settings
    for name in key.split("."):
        value = getattr(value, name, None)
    return (list(value) if isinstance(value, tuple) else value) != own[key]


def _clear_section(values: dict, section: str, by_user: Mapping[str, str]) -> dict:
    """Returns nested settings without those of a section that the user does not give."""

    def clear(table: dict, path: str) -> dict:
        inside, rest = path.startswith(f"{section}."), {}
        for key, value in table.items():
            if isinstance(value, dict):
                if some := clear(value, f"{path}{key}."):
                    rest[key] = some
            elif not inside or path + key in by_user:
                rest[key] = value
        return rest

    return clear(values, "")


def _set_value(values: dict, key: str, value: Any) -> None:
    *path, last = key.split(".")
    for name in path:
        values = values.setdefault(name, {})
    values[last] = value


def format_overrides(own: Mapping[str, Any], keys: Iterable[str]) -> str:
    """Returns settings as arguments of a command line."""
    texts = ((key, own[key]) for key in keys)
    texts = (f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in texts)
    return " ".join(f"--set {shlex.quote(text)}" for text in texts)


def copy_encoder(
    model: SequenceModel, other: SequenceModel, config: Any, own: Mapping[str, Any]
) -> None:
    """Copies the weights of another model's encoder.

    Args:
        config: the whole configuration, which names the other model.
        own: the settings of the other encoder by their dotted keys; empty if none build it.

    Raises:
        UserError: the encoders are not built alike.
    """
    compared = [
        _describe(encoder.layers, _NOT_COMPARED)
        for encoder in (other.encoder, model.encoder)
        if isinstance(encoder, Chain)
    ]
    if len(compared) == 1 or compared[0] != compared[1]:
        keys = _list_differences(config, own)
        advice = "no settings build it, so it cannot be copied"
        raise UserError(
            f"training.encoder_from: the encoder of {config.training.encoder_from} is not built as "
            f"this model's is: {f'give {format_overrides(own, keys)}' if keys else advice}."
        )
    model.encoder.set_weights(other.encoder.get_weights())


def _describe(layers: Sequence[Any], without: set[str]) -> list[tuple[str, dict]]:
    """Returns the classes and arguments of layers, without those that only change features."""
    without = without | {"name", "dtype"}
    return [
        (type(layer).__name__, {k: v for k, v in layer.get_config().items() if k not in without})
        for layer in layers
        if not isinstance(layer, Augmentation)
    ]
