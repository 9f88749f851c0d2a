"""The captioning models: the library's encoders and decoders put together."""

from typing import Any

from kerasseq.applications.captioning import settings as kinds
from kerasseq.applications.common.building import (
    build_attention,
    build_transformer_decoder,
    build_transformer_encoder,
)
from kerasseq.backbones import load_backbone
from kerasseq.decoders import RNNDecoder, S2VTDecoder, TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import Chain, ConvolutionalFeatures, Patches, PictureEncoder, Projection
from kerasseq.models import Seq2Seq
from kerasseq.preprocessing import CaptionPreprocessor

POOLING = ("s2vt", "show-and-tell")
"""The models whose decoder does not look at regions, and needs one vector of each frame."""


def build(config: kinds.Model, preprocessor: CaptionPreprocessor) -> Seq2Seq:
    """Returns the model of a configuration, for the units of a preprocessor."""
    pool = config.kind in POOLING or getattr(config, "pool", False)
    layers = build_encoder(config.encoder, preprocessor.size[0], pool)
    if getattr(config, "encoder_layers", 0):
        layers.append(build_transformer_encoder(config, config.encoder_layers))
    encoder = Chain(layers)
    encoder.build((None, None))
    decoder = _DECODERS[config.kind](config, encoder, preprocessor.target_vocabulary_size)
    return Seq2Seq(None, encoder, decoder, preprocessor)


def build_encoder(settings: kinds.Encoder, size: int, pool: bool) -> list[Any]:
    """Returns the layers of an encoder of pictures of `size` rows and columns."""
    return _ENCODERS[settings.kind](settings, size, pool)


def _build_backbone(settings: kinds.Backbone, size: int, pool: bool) -> list[Any]:
    weights = None if settings.weights == "none" else settings.weights
    network, scaling = load_backbone(settings.name, (size, size), weights)
    encoder = PictureEncoder(network, scaling, pool=pool, trainable=settings.trainable)
    return [encoder, Projection(settings.width, norm=True)]


def _build_convolution(settings: kinds.Convolution, size: int, pool: bool) -> list[Any]:
    return [
        ConvolutionalFeatures((size, size), settings.filters, settings.strides, pool=pool),
        Projection(settings.width, positions=not pool, norm=True),
    ]


def _build_vision_transformer(
    settings: kinds.VisionTransformer, size: int, pool: bool
) -> list[Any]:
    return [
        Patches((size, size), settings.patch),
        Projection(settings.width, positions=True, dropout=settings.dropout),
        build_transformer_encoder(settings, settings.layers),
    ]


# What makes the layers of an encoder of pictures of `size` rows and columns, by its kind.
_ENCODERS = {
    "backbone": _build_backbone,
    "convolution": _build_convolution,
    "vision-transformer": _build_vision_transformer,
}


def _build_rnn(settings: kinds.ShowAndTell, encoder: Chain, size: int) -> RNNDecoder:
    return RNNDecoder(
        TokenEmbedding(size, settings.embedding, dropout=settings.dropout),
        settings.units,
        dropout=settings.dropout,
        tied=settings.tied,
    )


def _build_rnn_attention(settings: kinds.ShowAttendTell, encoder: Chain, size: int) -> RNNDecoder:
    return RNNDecoder(
        TokenEmbedding(size, settings.embedding, dropout=settings.dropout),
        settings.units,
        attention=build_attention(settings.attention, settings.units),
        query="before",
        gate=settings.gate,
        dropout=settings.dropout,
        tied=settings.tied,
    )


def _build_transformer(
    settings: kinds.Transformer, encoder: Chain, size: int
) -> TransformerDecoder:
    return build_transformer_decoder(settings, size, encoder.width, tied=settings.tied)


def _build_s2vt(settings: kinds.S2VT, encoder: Chain, size: int) -> S2VTDecoder:
    embedding = TokenEmbedding(size, settings.embedding, dropout=settings.dropout)
    return S2VTDecoder(embedding, settings.units, dropout=settings.dropout)


# What makes the decoder over an encoder, by the model's kind.
_DECODERS = {
    "show-and-tell": _build_rnn,
    "show-attend-tell": _build_rnn_attention,
    "transformer": _build_transformer,
    "s2vt": _build_s2vt,
}
