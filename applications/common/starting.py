"""A model to start a run from: its settings, its weights, and what is remembered of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kerasseq.acoustics import LogMel
from kerasseq.acoustics.augment import Augmentation
from kerasseq.applications.common.parts import YOUR_OWN
from kerasseq.data.public.dataset import HEADS
from kerasseq.errors import UserError
from kerasseq.models import SequenceModel
from kerasseq.models.load import load


def check_start(
    settings: Any,
    given: Mapping[str, str],
    keys: Sequence[str],
    reads: str,
    read_settings: Callable[[SequenceModel], Mapping[str, Any]],
) -> None:
    """Checks that no setting contradicts the model to start from.

    Args:
        settings: the configuration.
        given: the place of each setting that is given.
        keys: those of them that the model brings too.
        reads: what the model must read.
        read_settings: returns the settings of a model by their dotted keys; "model" is a function
            that builds the model of the configuration, for comparison.

    Raises:
        UserError: the model cannot be loaded or has another value.
    """
    name = settings.training.start_from
    start = load_start(name, reads)
    own = dict(read_settings(start))
    rebuild = own.pop("model", None)
    for key in keys:
        place = f"{given[key]}: "
        if key in own:
            value = settings
            for part in key.split("."):
                value = getattr(value, part)
            value = list(value) if isinstance(value, tuple) else value
            if value != own[key]:
                raise UserError(
                    f"{place}{key} is {json.dumps(value)}, but {name}, which the run starts from, "
                    f"has {json.dumps(own[key])}: leave it out"
                )
        elif not key.startswith("model.") or rebuild is None or not _is_built_alike(start, rebuild):
            raise UserError(
                f"{place}{key} cannot be set: {name}, which the run starts from, brings its own "
                f"[{key.partition('.')[0]}]; leave it out"
            )


def _is_built_alike(start: SequenceModel, rebuild: Callable[[], SequenceModel]) -> bool:
    """Returns whether a configuration builds the model to start from."""
    try:
        return describe_layers(start) == describe_layers(rebuild())
    except UserError:
        return False


def describe_layers(model: SequenceModel) -> Any:
    """Returns the configuration of a model's layers, without those that make features of sound."""
    config = model.get_config()
    return _strip({key: config[key] for key in config if key not in ("card", "preprocessor")})


def _strip(config: Any) -> Any:
    if isinstance(config, dict):
        if config.get("class_name") in _FEATURES:
            return None
        return {key: _strip(item) for key, item in config.items() if key not in _FREE}
    if isinstance(config, list | tuple):
        return [item for item in map(_strip, config) if item is not None]
    return config


_FREE = {"name", "trainable", "dtype", "build_config", "registered_name", "module", "seed"}
_FREE |= {"language_model"}
_FEATURES = {LogMel.__name__, *(kind.__name__ for kind in Augmentation.__subclasses__())}


def read_tokenizer(preprocessor: Any, most: int) -> dict[str, Any]:
    """Returns the settings of the section `tokenizer` that are in a model's vocabulary.

    Args:
        most: the size that the configuration asks for; characters and words may be fewer.
    """
    try:
        from sentencepiece.sentencepiece_model_pb2 import ModelProto, TrainerSpec
    except ImportError:  # without Google's protobuf they cannot be read
        return {}
    spec = ModelProto.FromString(preprocessor.tokenizer("target").to_bytes()).trainer_spec
    kind, size = TrainerSpec.ModelType.Name(spec.model_type).lower(), spec.vocab_size
    return {
        "tokenizer.kind": kind,
        "tokenizer.vocabulary_size": max(size, most) if kind in ("char", "word") else size,
        "tokenizer.character_coverage": round(spec.character_coverage, 6),
    }


def load_start(name: str, reads: str) -> SequenceModel:
    """Loads a model to start from.

    Args:
        reads: what it must read: "text", "sound" or "picture".

    Raises:
        UserError: it cannot be loaded, or reads something else.
    """
    model = load(name)
    kind = model.preprocessor.reads
    if reads != kind:
        raise UserError(
            f"{name} reads {kind}: it is a model to start `kerasseq train {HEADS[kind]}` from, "
            f"not `kerasseq train {HEADS[reads]}`."
        )
    return model


def describe_origins(
    card: Mapping[str, Any], origins: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Returns the entries of a model's card on the models that its training began with.

    Args:
        card: the entries on the model's own data.
        origins: the card of each model that it took weights from, by name.

    Returns:
        "began_with": those models, their data, their licences and their own origins; and
        "licence": their licences and that of the model's own data.
    """
    licence, models = str(card.get("licence", YOUR_OWN)), []
    for name, other in origins.items():
        theirs = str(other.get("licence", "unknown"))
        text = f"{name} ({other.get('data', 'unknown data')}; {theirs})"
        if earlier := other.get("began_with"):
            text += f", which began with {earlier}"
        models.append(text)
        licence = _join_licences(theirs, name, licence)
    return {"began_with": " and ".join(models), "licence": licence} if models else {}


def _join_licences(theirs: str, name: str, own: str) -> str:
    """Joins two licences in a text that says whose the first is."""
    if theirs == own:
        return own
    if theirs != YOUR_OWN and "(of " not in theirs:
        theirs = f"{theirs} (of {name})"
    return theirs if own in theirs.split(", and ") else f"{theirs}, and {own}"
