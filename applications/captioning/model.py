"""The captioning models: the library's encoders and decoders put together."""

from dataclasses import dataclass, field
from typing import Any, Literal

from kerasseq.applications.common.settings import (
    Attention,
    Number,
    build_transformer_decoder,
    build_transformer_encoder,
)
from kerasseq.backbones import load_backbone
from kerasseq.checks import Checked, Count, Fraction
from kerasseq.decoders import RNNDecoder, S2VTDecoder, TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import (
    Chain,
    ConvolutionalFeatures,
    Patches,
    PictureEncoder,
    Projection,
)
from kerasseq.errors import UserError
from kerasseq.models import Seq2Seq
from kerasseq.preprocessing import CaptionPreprocessor


@dataclass(frozen=True)
class Backbone(Checked):
    """A pretrained network for pictures, frozen unless it is fine-tuned."""

    kind: Literal["backbone"] = "backbone"
    name: str = "efficientnet-lite0"  # or any of keras.applications
    weights: str = "imagenet"  # or a file
    trainable: bool = False
    width: Number = 320  # that each region is projected to

    def build(self, size: int, pool: bool) -> list:
        weights = None if self.weights == "none" else self.weights
        network, scaling = load_backbone(self.name, (size, size), weights)
        encoder = PictureEncoder(network, scaling, pool=pool, trainable=self.trainable)
        return [encoder, Projection(self.width, norm=True)]


@dataclass(frozen=True)
class Convolution(Checked):
    """A small convolutional network, trained with the rest."""

    kind: Literal["convolution"] = "convolution"
    filters: tuple[Number, ...] = (48, 96, 128, 128, 128)
    strides: tuple[Number, ...] = (4, 2, 2, 1, 1)
    width: Number = 128

    def __post_init__(self):
        super().__post_init__()
        if len(self.strides) != len(self.filters):
            raise UserError(
                "model.encoder.filters and model.encoder.strides need a number for each "
                f"convolution, not {list(self.filters)} and {list(self.strides)}"
            )

    def build(self, size: int, pool: bool) -> list:
        return [
            ConvolutionalFeatures((size, size), self.filters, self.strides, pool=pool),
            Projection(self.width, positions=not pool, norm=True),
        ]


@dataclass(frozen=True)
class VisionTransformer(Checked):
    """A Transformer over patches of pictures, trained with the rest."""

    kind: Literal["vision-transformer"] = "vision-transformer"
    patch: Number = 16  # rows and columns of one
    width: Number = 128
    layers: Number = 4
    heads: Number = 4
    units: Number = 256  # of the feed-forward layers
    dropout: Fraction = 0.1

    def build(self, size: int, pool: bool) -> list:
        return [
            Patches((size, size), self.patch),
            Projection(self.width, positions=True, dropout=self.dropout),
            build_transformer_encoder(self, self.layers),
        ]


Encoder = Backbone | Convolution | VisionTransformer


@dataclass(frozen=True)
class ShowAndTell(Checked):
    """A recurrent decoder whose initial state is one vector of the whole picture."""

    kind: Literal["show-and-tell"] = "show-and-tell"
    encoder: Encoder = field(default_factory=Backbone)
    embedding: Number = 192
    units: Number = 384
    dropout: Fraction = 0.4
    tied: bool = False  # one matrix for the words' embedding and the logits

    def build(self, encoder: Chain, size: int) -> RNNDecoder:
        return RNNDecoder(
            TokenEmbedding(size, self.embedding, dropout=self.dropout),
            self.units,
            dropout=self.dropout,
            tied=self.tied,
        )


@dataclass(frozen=True)
class ShowAttendTell(ShowAndTell):
    """A recurrent decoder that attends to the regions of the picture for each word."""

    kind: Literal["show-attend-tell"] = "show-attend-tell"
    attention: Attention = Attention("additive")
    gate: bool = True  # scale the context vector by a gate, for each word
    pool: bool = False  # attend to frames, not to their regions

    def build(self, encoder: Chain, size: int) -> RNNDecoder:
        return RNNDecoder(
            TokenEmbedding(size, self.embedding, dropout=self.dropout),
            self.units,
            attention=self.attention.build(self.units),
            query="before",
            gate=self.gate,
            dropout=self.dropout,
            tied=self.tied,
        )


@dataclass(frozen=True)
class Transformer(Checked):
    """A Transformer encoder over regions or frames, and a Transformer decoder."""

    kind: Literal["transformer"] = "transformer"
    encoder: Encoder = field(default_factory=Backbone)
    encoder_layers: Count = 1  # over what the encoder gives
    layers: Number = 3
    heads: Number = 8
    units: Number = 1024  # of the feed-forward layers
    dropout: Fraction = 0.2
    pool: bool = False
    tied: bool = True

    def build(self, encoder: Chain, size: int) -> TransformerDecoder:
        return build_transformer_decoder(self, size, encoder.width, tied=self.tied)


@dataclass(frozen=True)
class S2VT(Checked):
    """Two recurrent layers that first read the frames of a clip, then write the caption."""

    kind: Literal["s2vt"] = "s2vt"
    encoder: Encoder = field(default_factory=Backbone)
    embedding: Number = 256
    units: Number = 512
    dropout: Fraction = 0.4

    def build(self, encoder: Chain, size: int) -> S2VTDecoder:
        embedding = TokenEmbedding(size, self.embedding, dropout=self.dropout)
        return S2VTDecoder(embedding, self.units, dropout=self.dropout)


Model = ShowAndTell | ShowAttendTell | Transformer | S2VT


def build(config: Model, preprocessor: CaptionPreprocessor) -> Seq2Seq:
    """Returns the model of a configuration, for the units of a preprocessor."""
    # A decoder that does not look at regions needs one vector of each frame.
    pool = config.kind in ("s2vt", "show-and-tell") or getattr(config, "pool", False)
    layers: list[Any] = config.encoder.build(preprocessor.size[0], pool)
    if getattr(config, "encoder_layers", 0):
        layers.append(build_transformer_encoder(config, config.encoder_layers))
    encoder = Chain(layers)
    encoder.build((None, None))
    decoder = config.build(encoder, preprocessor.target_vocabulary_size)
    return Seq2Seq(None, encoder, decoder, preprocessor)
