"""The translation models: the library's encoders and decoders put together."""

from typing import Any

from kerasseq.applications.common.building import build_attention
from kerasseq.applications.translation import settings as kinds
from kerasseq.decoders import ConvolutionalDecoder, RNNDecoder, TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import ConvolutionalEncoder, RNNEncoder, TransformerEncoder
from kerasseq.errors import UserError
from kerasseq.initializers import reinitialize
from kerasseq.models import Options, Seq2Seq
from kerasseq.preprocessing import TextPreprocessor

# The least number of steps that models with positions are made for.
POSITIONS = 1024


def build(config: kinds.Model, preprocessor: TextPreprocessor) -> Seq2Seq:
    """Returns the model of a configuration, for the vocabularies of a preprocessor.

    Raises:
        UserError: the sides share an embedding but not a vocabulary, or settings do not go
            together.
    """
    if config.share_embeddings and not preprocessor.shared:
        raise UserError(
            "model.share_embeddings needs tokenizer.shared, one vocabulary for both sides; "
            "set one to false or the other to true."
        )
    longest = max(preprocessor.max_source_length, preprocessor.max_target_length)
    steps = preprocessor.padded_length(longest)
    try:
        model = build_layers(
            config,
            preprocessor.source_vocabulary_size,
            preprocessor.target_vocabulary_size,
            max(POSITIONS, int(Options().length_for(steps))),
        )
    except ValueError as error:
        raise UserError(f"[model]: {error}") from error
    if config.initializer != "matching":
        reinitialize(model, config.initializer)
    model.preprocessor = preprocessor
    return model


def build_layers(
    config: kinds.Model, source: int, target: int, positions: int = POSITIONS
) -> Seq2Seq:
    """Returns the model of a configuration, without a preprocessor.

    Args:
        source, target: V of each side.
        positions: the number of steps that models with positions are made for.
    """
    return _MODELS[config.kind](config, source, target, positions)


def _build_rnn(settings: kinds.RNN, source: int, target: int, positions: int) -> Seq2Seq:
    encoder = {"reverse": settings.reverse, "fixed": True}
    decoder = {"context": settings.context}
    return _build_recurrent(settings, source, target, settings.units, encoder, decoder)


def _build_rnn_attention(
    settings: kinds.RNNAttention, source: int, target: int, positions: int
) -> Seq2Seq:
    units = settings.units // 2 if settings.bidirectional else settings.units
    decoder = {"query": settings.query, "input_feeding": settings.input_feeding}
    decoder["attention"] = build_attention(settings.attention, settings.units)
    return _build_recurrent(settings, source, target, units, {}, decoder)


def _build_recurrent(
    settings: Any, source: int, target: int, units: int, encoder: dict, decoder: dict
) -> Seq2Seq:
    """Returns a recurrent model.

    Args:
        units: of each direction of the encoder.
        encoder, decoder: further arguments of both.
    """
    of_source, of_target = _build_embeddings(settings, source, target, settings.embedding)
    layers, cell, how = settings.layers, settings.cell, {"dropout": settings.dropout}
    return Seq2Seq(
        of_source,
        RNNEncoder(units, layers, cell, bidirectional=settings.bidirectional, **encoder, **how),
        RNNDecoder(of_target, settings.units, layers, cell, tied=settings.tied, **decoder, **how),
    )


def _build_convolution(
    settings: kinds.Convolution, source: int, target: int, positions: int
) -> Seq2Seq:
    embeddings = _build_embeddings(
        settings, source, target, settings.embedding, positions="learned", max_length=positions
    )
    encoder = ConvolutionalEncoder(
        settings.units, settings.layers, settings.kernel_size, settings.dropout
    )
    decoder = ConvolutionalDecoder(
        embeddings[1],
        settings.units,
        settings.layers,
        settings.kernel_size,
        score=settings.score,
        dropout=settings.dropout,
        tied=settings.tied,
    )
    return Seq2Seq(embeddings[0], encoder, decoder)


def _build_transformer(
    settings: kinds.Transformer, source: int, target: int, positions: int
) -> Seq2Seq:
    embeddings = _build_embeddings(
        settings,
        source,
        target,
        settings.width,
        positions="sinusoidal",
        max_length=positions,
        scale=True,
    )
    options = (
        settings.heads,
        settings.units,
        settings.activation,
        settings.dropout,
        settings.attention_dropout,
    )
    return Seq2Seq(
        embeddings[0],
        TransformerEncoder(settings.encoder_layers, *options),
        TransformerDecoder(embeddings[1], settings.decoder_layers, *options, tied=settings.tied),
    )


def _build_embeddings(settings: Any, source: int, target: int, width: int, **options: Any) -> tuple:
    """Returns the embeddings of both sides, which are one where they are shared."""
    of_source = TokenEmbedding(source, width, dropout=settings.dropout, **options)
    if settings.share_embeddings:
        return of_source, of_source
    return of_source, TokenEmbedding(target, width, dropout=settings.dropout, **options)


_MODELS = {
    "rnn": _build_rnn,
    "rnn-attention": _build_rnn_attention,
    "convolution": _build_convolution,
    "transformer": _build_transformer,
}
