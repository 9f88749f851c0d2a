"""The speech recognition models: the library's encoders and decoders put together."""

from typing import Any

from kerasseq.acoustics import FrequencyWarp, LogMel, SpecAugment
from kerasseq.applications.common.building import (
    build_attention,
    build_transformer_decoder,
    build_transformer_encoder,
)
from kerasseq.applications.speech_recognition import settings as kinds
from kerasseq.decoders import RNNDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import (
    Chain,
    Conformer,
    ConvolutionalSubsampling,
    FrameStacking,
    Projection,
    RNNEncoder,
    RowConvolution,
)
from kerasseq.models import CTC, HybridSeq2Seq, Seq2Seq, SequenceModel, Transducer
from kerasseq.preprocessing import SpeechPreprocessor
from kerasseq.transduction.joiner import Joiner


def build(config: kinds.Model, sound: Any, preprocessor: SpeechPreprocessor) -> SequenceModel:
    """Returns the model of a configuration, for the units of a preprocessor."""
    front = LogMel(
        sound.rate,
        sound.mels,
        scale=sound.scale,
        pre_emphasis=sound.pre_emphasis,
        dither=sound.dither,
        normalization=sound.normalization,
        margin=sound.margin,
    )
    warp = [FrequencyWarp(sound.rate, sound.scale, sound.warp)] if sound.warp else []
    augment = SpecAugment(
        sound.frequency_masks,
        sound.frequency_width,
        sound.time_masks,
        sound.time_width,
        sound.time_fraction,
    )
    encoder = Chain([front, *warp, augment, *build_encoder(config.encoder)])
    model = _MODELS[config.kind](config, encoder, preprocessor.target_vocabulary_size)
    model.preprocessor = preprocessor
    return model


def build_encoder(settings: kinds.Encoder) -> list:
    """Returns the layers of an encoder after those that make features."""
    return _ENCODERS[settings.kind](settings)


def _build_blstm(settings: kinds.BLSTM) -> list:
    if not settings.pyramid:
        stacked = [FrameStacking(settings.stack)] if settings.stack > 1 else []
        return [*stacked, _build_both_ways(settings, settings.layers)]
    layers: list = [FrameStacking(2), _build_both_ways(settings, 1)]
    stacked = 2
    for _ in range(settings.layers - 1):
        if stacked < settings.stack:
            layers.append(FrameStacking(2))
            stacked *= 2
        layers.append(_build_both_ways(settings, 1))
    return layers


def _build_convolution_blstm(settings: kinds.ConvolutionBLSTM) -> list:
    way_in = [
        ConvolutionalSubsampling(settings.filters, settings.width, 2 if settings.pyramid else 4),
        Projection(settings.width, dropout=settings.dropout, norm=True),
    ]
    chunk, ahead, above = settings.chunk or None, settings.ahead, settings.layers - 1
    if not settings.pyramid:
        return [*way_in, _build_both_ways(settings, settings.layers, chunk=chunk, ahead=ahead)]
    twice = {"chunk": chunk and 2 * chunk, "ahead": 2 * ahead, "offset": 2 * above * ahead}
    layers = [*way_in, _build_both_ways(settings, 1, **twice), FrameStacking(2)]
    if above:
        layers.append(_build_both_ways(settings, above, chunk=chunk, ahead=ahead))
    return layers


def _build_both_ways(settings: Any, count: int, **chunks: Any) -> RNNEncoder:
    return RNNEncoder(settings.units, count, bidirectional=True, dropout=settings.dropout, **chunks)


def _build_lstm(settings: kinds.LSTM) -> list:
    return [
        FrameStacking(settings.stack),
        RNNEncoder(settings.units, settings.layers, dropout=settings.dropout),
        RowConvolution(settings.lookahead),
    ]


def _build_convolution_lstm(settings: kinds.ConvolutionLSTM) -> list:
    layers: list = [
        ConvolutionalSubsampling(settings.filters, settings.width),
        Projection(settings.width, dropout=settings.dropout, norm=True),
    ]
    for _ in range(settings.layers):
        layers.append(RowConvolution(settings.lookahead))
        layers.append(RNNEncoder(settings.units, dropout=settings.dropout))
    return layers


def _build_transformer(settings: kinds.Transformer) -> list:
    return [
        ConvolutionalSubsampling(settings.filters, settings.width),
        Projection(settings.width, positions=True, dropout=settings.dropout),
        build_transformer_encoder(settings, settings.layers),
    ]


def _build_conformer(settings: kinds.ConformerSettings) -> list:
    return [
        ConvolutionalSubsampling(settings.filters, settings.width),
        Projection(settings.width, dropout=settings.dropout),
        Conformer(
            settings.layers,
            settings.heads,
            settings.units,
            settings.kernel_size,
            chunk=settings.chunk or None,
            left=settings.left,
            dropout=settings.dropout,
        ),
    ]


# What makes the layers of an encoder after the acoustic front end, by its kind.
_ENCODERS = {
    "blstm": _build_blstm,
    "conv-blstm": _build_convolution_blstm,
    "lstm": _build_lstm,
    "conv-lstm": _build_convolution_lstm,
    "transformer": _build_transformer,
    "conformer": _build_conformer,
}


def _build_ctc(settings: kinds.CTC, encoder: Chain, size: int) -> CTC:
    return CTC(encoder, size)


def _build_transducer(settings: kinds.Transducer, encoder: Chain, size: int) -> Transducer:
    return _join(settings, encoder, size, context="none")


def _build_transducer_attention(
    settings: kinds.TransducerAttention, encoder: Chain, size: int
) -> Transducer:
    attention = build_attention(settings.attention, settings.units)
    return _join(settings, encoder, size, attention=attention, query="before")


def _join(settings: Any, encoder: Chain, size: int, **how: Any) -> Transducer:
    decoder = RNNDecoder(
        TokenEmbedding(size, settings.embedding),
        settings.units,
        dropout=settings.dropout,
        projection=False,
        **how,
    )
    joiner = Joiner(size, settings.joint)
    return Transducer(encoder, decoder, joiner, max_symbols=settings.max_symbols)


def _build_seq2seq(settings: kinds.Attention, encoder: Chain, size: int) -> Seq2Seq:
    return Seq2Seq(None, encoder, _build_decoder(settings, size))


def _build_hybrid(settings: kinds.Hybrid, encoder: Chain, size: int) -> HybridSeq2Seq:
    decoder = _build_decoder(settings, size)
    return HybridSeq2Seq(None, encoder, decoder, ctc_weight=settings.ctc_weight)


def _build_decoder(settings: kinds.Attention, size: int) -> Any:
    if settings.decoder == "rnn":
        return RNNDecoder(
            TokenEmbedding(size, settings.embedding),
            settings.units,
            settings.layers,
            attention=build_attention(settings.attention, settings.units),
            query="before",
            dropout=settings.dropout,
        )
    width = getattr(settings.encoder, "width", settings.encoder.units)
    return build_transformer_decoder(settings, size, width)


# What makes a model of an encoder and the size of a vocabulary, by its kind.
_MODELS = {
    "ctc": _build_ctc,
    "transducer": _build_transducer,
    "transducer-attention": _build_transducer_attention,
    "attention": _build_seq2seq,
    "hybrid": _build_hybrid,
}
