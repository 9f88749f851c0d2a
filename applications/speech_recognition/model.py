"""The speech recognition models: the library's encoders and decoders put together."""

from dataclasses import dataclass, field
from typing import Any, Literal

from kerasseq.acoustics import FrequencyWarp, LogMel, SpecAugment
from kerasseq.applications.common.settings import Attention as AttentionSettings
from kerasseq.applications.common.settings import (
    Number,
    build_transformer_decoder,
    build_transformer_encoder,
)
from kerasseq.checks import Checked, Count, Fraction, Share
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
from kerasseq.errors import UserError
from kerasseq.models import CTC as CTCModel
from kerasseq.models import HybridSeq2Seq, Seq2Seq, SequenceModel
from kerasseq.models import Transducer as TransducerModel
from kerasseq.preprocessing import SpeechPreprocessor
from kerasseq.transduction.joiner import Joiner


@dataclass(frozen=True)
class BLSTM(Checked):
    """Stacked frames, then bidirectional recurrent layers; or a pyramid of them."""

    kind: Literal["blstm"] = "blstm"
    units: Number = 160  # of each layer and direction
    layers: Number = 3
    stack: Number = 4  # frames of 10 ms a step; a pyramid joins pairs of steps between its layers
    pyramid: bool = False
    dropout: Fraction = 0.3

    def build(self) -> list:
        if not self.pyramid:
            stacked = [FrameStacking(self.stack)] if self.stack > 1 else []
            return [*stacked, _build_blstm(self, self.layers)]
        layers: list = [FrameStacking(2), _build_blstm(self, 1)]
        stacked = 2
        for _ in range(self.layers - 1):
            if stacked < self.stack:
                layers.append(FrameStacking(2))
                stacked *= 2
            layers.append(_build_blstm(self, 1))
        return layers


@dataclass(frozen=True)
class ConvolutionBLSTM(Checked):
    """Two convolutions that subsample the frames by 4, then bidirectional recurrent layers."""

    kind: Literal["conv-blstm"] = "conv-blstm"
    filters: Number = 32
    width: Number = 160  # of the vectors after the convolutions
    units: Number = 160
    layers: Number = 3
    pyramid: bool = False  # the first layer has twice as many steps, which are then joined in pairs
    chunk: Count = 0  # steps of 40 ms that are encoded together, for streams; 0: the recording
    ahead: Count = 0  # steps of 40 ms of the next chunk that each layer reads
    dropout: Fraction = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ahead and not self.chunk:
            raise UserError("model.encoder.ahead is of chunks: set model.encoder.chunk too.")

    def build(self) -> list:
        way_in = [
            ConvolutionalSubsampling(self.filters, self.width, 2 if self.pyramid else 4),
            Projection(self.width, dropout=self.dropout, norm=True),
        ]
        chunk, ahead, above = self.chunk or None, self.ahead, self.layers - 1
        if not self.pyramid:
            return [*way_in, _build_blstm(self, self.layers, chunk=chunk, ahead=ahead)]
        twice = {"chunk": chunk and 2 * chunk, "ahead": 2 * ahead, "offset": 2 * above * ahead}
        layers = [*way_in, _build_blstm(self, 1, **twice), FrameStacking(2)]
        return [*layers, *([_build_blstm(self, above, chunk=chunk, ahead=ahead)] if above else [])]


def _build_blstm(settings: BLSTM | ConvolutionBLSTM, count: int, **chunks: Any) -> RNNEncoder:
    return RNNEncoder(settings.units, count, bidirectional=True, dropout=settings.dropout, **chunks)


@dataclass(frozen=True)
class LSTM(Checked):
    """Unidirectional recurrent layers for streams, which look `lookahead` steps ahead."""

    kind: Literal["lstm"] = "lstm"
    units: Number = 256
    layers: Number = 3
    stack: Number = 4  # frames of 10 ms to a step
    lookahead: Number = 8  # steps
    dropout: Fraction = 0.3

    def build(self) -> list:
        return [
            FrameStacking(self.stack),
            RNNEncoder(self.units, self.layers, dropout=self.dropout),
            RowConvolution(self.lookahead),
        ]


@dataclass(frozen=True)
class ConvolutionLSTM(Checked):
    """Two convolutions that subsample the frames by 4, then unidirectional layers, for streams.

    Each recurrent layer looks `lookahead` steps ahead.
    """

    kind: Literal["conv-lstm"] = "conv-lstm"
    filters: Number = 32
    width: Number = 160
    units: Number = 256
    layers: Number = 3
    lookahead: Number = 4  # steps of 40 ms for each layer
    dropout: Fraction = 0.3

    def build(self) -> list:
        layers: list = [
            ConvolutionalSubsampling(self.filters, self.width),
            Projection(self.width, dropout=self.dropout, norm=True),
        ]
        for _ in range(self.layers):
            layers += [RowConvolution(self.lookahead), RNNEncoder(self.units, dropout=self.dropout)]
        return layers


@dataclass(frozen=True)
class Transformer(Checked):
    """Two convolutions that subsample the frames by 4, then a Transformer."""

    kind: Literal["transformer"] = "transformer"
    filters: Number = 32
    width: Number = 144
    layers: Number = 6
    heads: Number = 4
    units: Number = 576  # of the feed-forward layers
    dropout: Fraction = 0.1

    def build(self) -> list:
        return [
            ConvolutionalSubsampling(self.filters, self.width),
            Projection(self.width, positions=True, dropout=self.dropout),
            build_transformer_encoder(self, self.layers),
        ]


@dataclass(frozen=True)
class ConformerSettings(Checked):
    """Two convolutions that subsample the frames by 4, then a Conformer."""

    kind: Literal["conformer"] = "conformer"
    filters: Number = 32
    width: Number = 144
    layers: Number = 6
    heads: Number = 4
    units: Number = 576
    kernel_size: Number = 15
    chunk: Count = 0  # steps of 40 ms that are encoded together; 0: the recording
    left: Number = 4  # chunks before its own that a step attends to
    dropout: Fraction = 0.1

    def find_unused(self) -> dict[str, str]:
        return {} if self.chunk else {"left": "model.encoder.chunk is 0"}

    def build(self) -> list:
        return [
            ConvolutionalSubsampling(self.filters, self.width),
            Projection(self.width, dropout=self.dropout),
            Conformer(
                self.layers,
                self.heads,
                self.units,
                self.kernel_size,
                chunk=self.chunk or None,
                left=self.left,
                dropout=self.dropout,
            ),
        ]


Encoder = ConvolutionBLSTM | BLSTM | LSTM | ConvolutionLSTM | Transformer | ConformerSettings


@dataclass(frozen=True)
class CTC(Checked):
    """Connectionist temporal classification: each step of the encoder predicts a unit."""

    kind: Literal["ctc"] = "ctc"
    encoder: Encoder = field(default_factory=ConvolutionBLSTM)

    def build(self, encoder: Chain, size: int) -> CTCModel:
        return CTCModel(encoder, size)


@dataclass(frozen=True)
class Transducer(Checked):
    """A transducer: a unit depends on the encoder's step and on the units before it."""

    kind: Literal["transducer"] = "transducer"
    encoder: Encoder = field(default_factory=ConvolutionBLSTM)
    embedding: Number = 64
    units: Number = 160  # of the prediction network
    joint: Number = 160
    dropout: Fraction = 0.3
    max_symbols: Number = 5  # at one step of the encoder

    def build(self, encoder: Chain, size: int) -> TransducerModel:
        return _build_transducer(self, encoder, size, context="none")


@dataclass(frozen=True)
class TransducerAttention(Checked):
    """A transducer whose prediction network attends to the encoder."""

    kind: Literal["transducer-attention"] = "transducer-attention"
    encoder: Encoder = field(default_factory=ConvolutionBLSTM)
    embedding: Number = 64
    units: Number = 160
    joint: Number = 160
    attention: AttentionSettings = AttentionSettings("location")
    dropout: Fraction = 0.3
    max_symbols: Number = 5

    def build(self, encoder: Chain, size: int) -> TransducerModel:
        attention = self.attention.build(self.units)
        return _build_transducer(self, encoder, size, attention=attention, query="before")


def _build_transducer(settings: Any, encoder: Chain, size: int, **how: Any) -> TransducerModel:
    decoder = RNNDecoder(
        TokenEmbedding(size, settings.embedding),
        settings.units,
        dropout=settings.dropout,
        projection=False,
        **how,
    )
    joiner = Joiner(size, settings.joint)
    return TransducerModel(encoder, decoder, joiner, max_symbols=settings.max_symbols)


@dataclass(frozen=True)
class Attention(Checked):
    """Listen, attend and spell."""

    kind: Literal["attention"] = "attention"
    encoder: Encoder = field(default_factory=ConvolutionBLSTM)
    decoder: Literal["rnn", "transformer"] = "rnn"
    embedding: Number = 64  # rnn only; a Transformer's is as wide as the encoder
    units: Number = 256  # of the recurrent, or the feed-forward, layers
    layers: Number = 1
    heads: Number = 4  # transformer only
    attention: AttentionSettings = AttentionSettings("location")  # rnn only
    dropout: Fraction = 0.3

    def find_unused(self) -> dict[str, str]:
        others = ("heads",) if self.decoder == "rnn" else ("embedding", "attention")
        return dict.fromkeys(others, f"model.decoder is {self.decoder}")

    def build(self, encoder: Chain, size: int) -> Seq2Seq:
        return Seq2Seq(None, encoder, _build_decoder(self, encoder, size))


@dataclass(frozen=True)
class Hybrid(Attention):
    """Attention and CTC on one encoder, decoded by both."""

    kind: Literal["hybrid"] = "hybrid"
    ctc_weight: Share = 0.3

    def build(self, encoder: Chain, size: int) -> HybridSeq2Seq:
        decoder = _build_decoder(self, encoder, size)
        return HybridSeq2Seq(None, encoder, decoder, ctc_weight=self.ctc_weight)


def _build_decoder(settings: Attention, encoder: Chain, size: int) -> Any:
    if settings.decoder == "rnn":
        return RNNDecoder(
            TokenEmbedding(size, settings.embedding),
            settings.units,
            settings.layers,
            attention=settings.attention.build(settings.units),
            query="before",
            dropout=settings.dropout,
        )
    width = getattr(settings.encoder, "width", settings.encoder.units)
    return build_transformer_decoder(settings, size, width)


Model = CTC | Transducer | Attention | TransducerAttention | Hybrid


def build(config: Model, sound: Any, preprocessor: SpeechPreprocessor) -> SequenceModel:
    """Returns the model of a configuration, for the units of a preprocessor."""
    front = LogMel(
        sound.rate,
        sound.mels,
        scale=sound.scale,
        pre_emphasis=sound.pre_emphasis,
        dither=sound.dither,
        normalization=sound.normalization,
    )
    warp = [FrequencyWarp(sound.rate, sound.scale, sound.warp)] if sound.warp else []
    augment = SpecAugment(
        sound.frequency_masks,
        sound.frequency_width,
        sound.time_masks,
        sound.time_width,
        sound.time_fraction,
    )
    encoder = Chain([front, *warp, augment, *config.encoder.build()])
    model = config.build(encoder, preprocessor.target_vocabulary_size)
    model.preprocessor = preprocessor
    return model
