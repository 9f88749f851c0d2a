"""The translation models: the library's encoders and decoders put together."""

from dataclasses import dataclass
from typing import Literal

from kerasseq.applications.common.settings import Attention, Number
from kerasseq.checks import Checked, Fraction
from kerasseq.decoders import ConvolutionalDecoder, RNNDecoder, TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import ConvolutionalEncoder, RNNEncoder, TransformerEncoder
from kerasseq.errors import UserError
from kerasseq.initializers import reinitialize
from kerasseq.models import Options, Seq2Seq
from kerasseq.preprocessing import TextPreprocessor

# The least number of steps that models with positions are made for.
POSITIONS = 1024

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

    def _build(self, source: int, target: int, units: int, encoder: dict, decoder: dict) -> Seq2Seq:
        """Returns the model.

        Args:
            source, target: V of each side.
            units: of each direction of the encoder.
            encoder, decoder: further arguments of both.
        """
        of_source, of_target = _build_embeddings(self, source, target, self.embedding)
        how = {"dropout": self.dropout}
        return Seq2Seq(
            of_source,
            RNNEncoder(
                units, self.layers, self.cell, bidirectional=self.bidirectional, **encoder, **how
            ),
            RNNDecoder(
                of_target, self.units, self.layers, self.cell, tied=self.tied, **decoder, **how
            ),
        )


@dataclass(frozen=True)
class RNN(_Recurrent):
    """Recurrent encoder-decoder with a fixed context vector."""

    kind: Literal["rnn"] = "rnn"
    reverse: bool = True  # the encoder reads the source backwards
    context: Literal["initial", "joined"] = "initial"

    def build(self, source: int, target: int, positions: int = POSITIONS) -> Seq2Seq:
        encoder = {"reverse": self.reverse, "fixed": True}
        return self._build(source, target, self.units, encoder, {"context": self.context})


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

    def build(self, source: int, target: int, positions: int = POSITIONS) -> Seq2Seq:
        units = self.units // 2 if self.bidirectional else self.units
        decoder = {"query": self.query, "input_feeding": self.input_feeding}
        decoder["attention"] = self.attention.build(self.units)
        return self._build(source, target, units, {}, decoder)


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

    def build(self, source: int, target: int, positions: int = POSITIONS) -> Seq2Seq:
        embeddings = _build_embeddings(
            self, source, target, self.embedding, positions="learned", max_length=positions
        )
        encoder = ConvolutionalEncoder(self.units, self.layers, self.kernel_size, self.dropout)
        decoder = ConvolutionalDecoder(
            embeddings[1],
            self.units,
            self.layers,
            self.kernel_size,
            score=self.score,
            dropout=self.dropout,
            tied=self.tied,
        )
        return Seq2Seq(embeddings[0], encoder, decoder)


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

    def build(self, source: int, target: int, positions: int = POSITIONS) -> Seq2Seq:
        embeddings = _build_embeddings(
            self,
            source,
            target,
            self.width,
            positions="sinusoidal",
            max_length=positions,
            scale=True,
        )
        options = (
            self.heads,
            self.units,
            self.activation,
            self.dropout,
            self.attention_dropout,
        )
        return Seq2Seq(
            embeddings[0],
            TransformerEncoder(self.encoder_layers, *options),
            TransformerDecoder(embeddings[1], self.decoder_layers, *options, tied=self.tied),
        )


def _build_embeddings(config, source: int, target: int, width: int, **options) -> tuple:
    """Returns the embeddings of both sides, which are one where they are shared."""
    of_source = TokenEmbedding(source, width, dropout=config.dropout, **options)
    if config.share_embeddings:
        return of_source, of_source
    return of_source, TokenEmbedding(target, width, dropout=config.dropout, **options)


Model = Transformer | RNNAttention | RNN | Convolution


def build(config: Model, preprocessor: TextPreprocessor) -> Seq2Seq:
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
        model = config.build(
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
