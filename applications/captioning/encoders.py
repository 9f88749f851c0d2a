"""The settings of the encoder of a captioning model."""

import re
from functools import partial
from typing import Any, get_args

from kerasseq.applications.captioning import settings as kinds
from kerasseq.applications.captioning.model import POOLING, build_encoder
from kerasseq.applications.common.encoders import flatten_settings, guess_settings
from kerasseq.backbones.by_name import list_backbones
from kerasseq.encoders import PictureEncoder, Projection, TransformerEncoder
from kerasseq.encoders.pictures import Frames
from kerasseq.models import Seq2Seq


def read_encoder(config: Any, model: Seq2Seq) -> dict[str, Any]:
    """Returns the settings of a model's encoder by their dotted keys, or none.

    Args:
        config: the configuration of a run that copies the encoder.
        model: a captioning model.
    """
    layers = list(getattr(model.encoder, "layers", ()))
    if not layers or not isinstance(layers[0], Frames) or len(set(layers[0].size)) > 1:
        return {}
    size, pool = layers[0].size[0], getattr(layers[0], "pool", None)
    encoder, above = _guess(layers, size, bool(pool)), None
    if encoder is None and isinstance(layers[-1], TransformerEncoder):
        *layers, above = layers
        encoder = _guess(layers, size, bool(pool))
    if encoder is None:
        return {}
    return {
        "pictures.size": size,
        **_describe_model(config.model, pool, above),
        **flatten_settings("model.encoder", encoder),
    }


def _guess(layers: list[Any], size: int, pool: bool) -> kinds.Encoder | None:
    """Returns the settings of the layers that read pictures, or None."""
    if not isinstance(layers[0], PictureEncoder):
        return guess_settings(get_args(kinds.Encoder), layers, partial(_build, size, pool))
    # Without building the network, which takes seconds.
    names = {_simplify(name): name for name in list_backbones()}
    name = names.get(_simplify(layers[0].backbone.name))
    if name is None or len(layers) != 2 or not isinstance(layers[1], Projection):
        return None
    return kinds.Backbone(name=name, trainable=layers[0].trainable, width=layers[1].width)


def _build(size: int, pool: bool, settings: kinds.Encoder) -> list[Any]:
    return [] if settings.kind == "backbone" else build_encoder(settings, size, pool)


def _simplify(name: str) -> str:
    """Returns the name of a network as keras.applications and its models have in common."""
    return re.sub(r"_\d\.\d\d_\w+$|[^a-z0-9]", "", name.lower())


def _describe_model(
    model: Any, pool: bool | None, above: TransformerEncoder | None
) -> dict[str, Any]:
    """Returns what of the section [model] belongs to an encoder.

    Args:
        model: that section.
        pool: whether the encoder pools the regions of a picture; None if it cannot.
        above: the layers of a Transformer over regions.
    """
    if above is not None:
        names = {"encoder_layers": above.count, "heads": above.settings.heads}
        names |= {"units": above.settings.units, "kind": "transformer", "pool": pool}
    elif model.kind == "transformer":
        names = {"encoder_layers": 0, "pool": pool}
    elif model.kind in POOLING:
        names = {"kind": "show-attend-tell", "pool": False} if pool is False else {}
    else:
        names = {"pool": pool} if hasattr(model, "pool") else {}
    return {f"model.{name}": value for name, value in names.items() if value is not None}
