"""A model to start from: what it brings with it, and what is remembered of it."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kerasseq.acoustics import LogMel
from kerasseq.acoustics.augment import Augmentation
from kerasseq.config import find_unused, refuse_unused
from kerasseq.data.public.dataset import HEADS
from kerasseq.encoders import Chain
from kerasseq.errors import UserError
from kerasseq.models import SequenceModel
from kerasseq.models.load import load

YOUR_OWN = "that of your own data"
"""The licence of files that are named one by one."""

BROUGHT = "the model to start from brings its own"
"""Why settings are idle where a run starts from a model."""


def all_brought(start_from: str, keys: Iterable[str]) -> dict[str, str]:
    """The settings that a model to start from brings, as `idle` of a configuration has them."""
    return dict.fromkeys(keys, BROUGHT) if start_from else {}


def check_brought(
    settings: Any,
    given: Mapping[str, str],
    reads: str,
    brought: Callable[[SequenceModel], Mapping[str, Any]],
) -> None:
    """That no given setting contradicts the model to start from.

    Args:
        settings: the configuration.
        given: where its settings are given.
        reads: what the model must read.
        brought: the settings that a model has by their dotted keys; "model" is a function that
            makes the model of the configuration's section, for comparison.

    Raises:
        UserError: the model has another; or a setting has no effect for another reason.
    """
    name = settings.training.start_from
    of_model = [key for key, why in find_unused(settings).items() if why == BROUGHT]
    refuse_unused(settings, {key: given[key] for key in given if key not in of_model})
    wrong = [key for key in of_model if key in given]
    if not wrong:
        return
    start = load_of_kind(name, reads)
    found = dict(brought(start))
    rebuilt = found.pop("model", None)
    for key in wrong:
        place = f"{given[key]}: "
        if key in found:
            value = settings
            for part in key.split("."):
                value = getattr(value, part)
            value = list(value) if isinstance(value, tuple) else value
            if value != found[key]:
                raise UserError(
                    f"{place}{key} is {json.dumps(value)}, but {name}, which the run starts from, "
                    f"has {json.dumps(found[key])}: leave it out"
                )
        elif not key.startswith("model.") or rebuilt is None or not _alike(start, rebuilt):
            raise UserError(
                f"{place}{key} cannot be set: {name}, which the run starts from, brings its own "
                f"[{key.partition('.')[0]}]; leave it out"
            )


def _alike(start: SequenceModel, rebuild: Callable[[], SequenceModel]) -> bool:
    """Whether the model of a configuration is built as the one to start from is."""
    try:
        return anatomy(start) == anatomy(rebuild())
    except UserError:
        return False


def anatomy(model: SequenceModel) -> Any:
    """What the layers of a model are, but for those that make and change features of sound."""
    config = model.get_config()
    return _plain({key: config[key] for key in config if key not in ("card", "preprocessor")})


def _plain(config: Any) -> Any:
    if isinstance(config, dict):
        if config.get("class_name") in _FEATURES:
            return None
        return {key: _plain(item) for key, item in config.items() if key not in _FREE}
    if isinstance(config, list | tuple):
        return [item for item in map(_plain, config) if item is not None]
    return config


_FREE = {"name", "trainable", "dtype", "build_config", "registered_name", "module", "seed"}
_FREE |= {"language_model"}
_FEATURES = {LogMel.__name__, *(kind.__name__ for kind in Augmentation.__subclasses__())}


def units(preprocessor: Any, most: int) -> dict[str, Any]:
    """The settings of the section `tokenizer` that a model's vocabulary tells.

    Args:
        most: pieces that are asked for; characters and words may be fewer.
    """
    try:
        from sentencepiece.sentencepiece_model_pb2 import ModelProto, TrainerSpec
    except ImportError:  # without Google's protobuf the vocabulary does not tell
        return {}
    spec = ModelProto.FromString(preprocessor.tokenizer("target").to_bytes()).trainer_spec
    kind, size = TrainerSpec.ModelType.Name(spec.model_type).lower(), spec.vocab_size
    return {
        "tokenizer.kind": kind,
        "tokenizer.vocabulary_size": max(size, most) if kind in ("char", "word") else size,
        "tokenizer.character_coverage": round(spec.character_coverage, 6),
    }


def load_of_kind(name: str, reads: str) -> SequenceModel:
    """A model to begin with.

    Args:
        reads: what it must read: "text", "sound" or "picture".

    Raises:
        UserError: it cannot be loaded, or reads something else.
    """
    model = load(name)
    found = model.preprocessor.reads
    if reads != found:
        raise UserError(
            f"{name} reads {found}: it is a model to start `kerasseq train {HEADS[found]}` from, "
            f"not `kerasseq train {HEADS[reads]}`."
        )
    return model


def take_encoder(model: SequenceModel, other: SequenceModel, name: str) -> None:
    """Give the encoder of a model the weights of another model's.

    Raises:
        UserError: it is built in another way.
    """
    if not isinstance(other.encoder, Chain) or _heard(other.encoder) != _heard(model.encoder):
        raise UserError(
            f"training.encoder_from: the encoder of {name} is not built as this model's is: set "
            "[model.encoder] and [sound] as they were set there."
        )
    model.encoder.set_weights(other.encoder.get_weights())


def _heard(encoder: Chain) -> list[tuple[str, dict]]:
    """What the layers of an encoder are and do, but for what a second training may change."""
    free = {"name", "trainable", "dtype", "dropout", "attention_dropout", "dither"}
    free |= {"normalization", "chunk", "ahead", "offset"}  # a recogniser may learn to stream
    return [
        (type(layer).__name__, {k: v for k, v in layer.get_config().items() if k not in free})
        for layer in encoder.layers
        if not isinstance(layer, Augmentation)
    ]


def provenance(card: Mapping[str, Any], begun: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Entries of a model's card on the models that its training began with.

    Args:
        card: what is known of its own data.
        begun: by its name, the card of each model that it took weights from.

    Returns:
        "began_with": those models, their data and licences, and what they began with in turn; and
        "licence": theirs and that of its own data.
    """
    licence, models = str(card.get("licence", YOUR_OWN)), []
    for name, other in begun.items():
        theirs = str(other.get("licence", "unknown"))
        text = f"{name} ({other.get('data', 'unknown data')}; {theirs})"
        if earlier := other.get("began_with"):
            text += f", which began with {earlier}"
        models.append(text)
        licence = _united(theirs, name, licence)
    return {"began_with": " and ".join(models), "licence": licence} if models else {}


def _united(theirs: str, name: str, own: str) -> str:
    """Two licences as one text that says whose the first is."""
    if theirs == own:
        return own
    if theirs != YOUR_OWN and "(of " not in theirs:
        theirs = f"{theirs} (of {name})"
    return theirs if own in theirs.split(", and ") else f"{theirs}, and {own}"
