"""The settings of the speech recognition models; `model` builds them."""

from dataclasses import dataclass, field
from typing import Literal

from kerasseq.applications.common.settings import Attention as AttentionSettings
from kerasseq.applications.common.settings import Number
from kerasseq.checks import Checked, Count, Fraction, Share
from kerasseq.errors import UserError


@dataclass(frozen=True)
class BLSTM(Checked):
    """Stacked frames, then bidirectional recurrent layers; or a pyramid of them."""

    kind: Literal["blstm"] = "blstm"
    units: Number = 160  # of each layer and direction
    layers: Number = 3
    stack: Number = 4  # frames of 10 ms a step; a pyramid joins pairs of steps between its layers
    pyramid: bool = False
    dropout: Fraction = 0.3


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


@dataclass(frozen=True)
class LSTM(Checked):
    """Unidirectional recurrent layers for streams, which look `lookahead` steps ahead."""

    kind: Literal["lstm"] = "lstm"
    units: Number = 256
    layers: Number = 3
    stack: Number = 4  # frames of 10 ms to a step
    lookahead: Number = 8  # steps
    dropout: Fraction = 0.3


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


Encoder = ConvolutionBLSTM | BLSTM | LSTM | ConvolutionLSTM | Transformer | ConformerSettings


@dataclass(frozen=True)
class CTC(Checked):
    """Connectionist temporal classification: each step of the encoder predicts a unit."""

    kind: Literal["ctc"] = "ctc"
    encoder: Encoder = field(default_factory=ConvolutionBLSTM)


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


@dataclass(frozen=True)
class Hybrid(Attention):
    """Attention and CTC on one encoder, decoded by both."""

    kind: Literal["hybrid"] = "hybrid"
    ctc_weight: Share = 0.3


Model = CTC | Transducer | Attention | TransducerAttention | Hybrid
