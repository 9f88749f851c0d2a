"""The settings of the translation models; `model` builds them."""

from dataclasses import dataclass
from typing import Literal

from kerasseq.applications.common.settings import Attention, Number
from kerasseq.checks import Checked, Fraction

# "matching" is He's before a rectifier, and Glorot's elsewhere.
Initializer = Literal[
    "matching",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
]


@dataclass(frozen=True)
class _Recurrent(Checked):
    """What recurrent encoder-decoders have in common."""

    kind: str = "rnn"
    cell: Literal["lstm", "gru"] = "lstm"
    embedding: Number = 256
    units: Number = 512
    layers: Number = 2
    bidirectional: bool = False
    dropout: Fraction = 0.5
    tied: bool = False  # one matrix for the target's embedding and the logits
    share_embeddings: bool = False  # one embedding for source and target
    initializer: Initializer = "matching"


@dataclass(frozen=True)
class RNN(_Recurrent):
    """Recurrent encoder-decoder with a fixed context vector."""

    kind: Literal["rnn"] = "rnn"
    reverse: bool = True  # the encoder reads the source backwards
    context: Literal["initial", "joined"] = "initial"


@dataclass(frozen=True)
class RNNAttention(_Recurrent):
    """Recurrent encoder-decoder with attention."""

    kind: Literal["rnn-attention"] = "rnn-attention"
    cell: Literal["lstm", "gru"] = "gru"
    layers: Number = 1
    bidirectional: bool = True  # each direction has half the units
    query: Literal["before", "after"] = "before"  # Bahdanau, Luong
    input_feeding: bool = False
    attention: Attention = Attention()


@dataclass(frozen=True)
class Convolution(Checked):
    """Convolutional sequence to sequence."""

    kind: Literal["convolution"] = "convolution"
    embedding: Number = 256
    units: Number = 256
    layers: Number = 4
    kernel_size: Number = 3
    score: Literal["dot", "scaled_dot", "bilinear", "cosine", "concat", "additive"] = "bilinear"
    dropout: Fraction = 0.25
    tied: bool = True
    share_embeddings: bool = False
    initializer: Initializer = "matching"


@dataclass(frozen=True)
class Transformer(Checked):
    """Pre-norm Transformer."""

    kind: Literal["transformer"] = "transformer"
    width: Number = 128
    units: Number = 256  # of the feed-forward layers
    encoder_layers: Number = 4
    decoder_layers: Number = 4
    heads: Number = 4
    activation: Literal["relu", "gelu", "silu"] = "relu"
    dropout: Fraction = 0.3
    attention_dropout: Fraction = 0.0  # also of the feed-forward layers' activations
    tied: bool = True
    share_embeddings: bool = True
    initializer: Initializer = "matching"


Model = Transformer | RNNAttention | RNN | Convolution
