"""The settings of the captioning models; `model` builds them."""

from dataclasses import dataclass, field
from typing import Literal

from kerasseq.applications.common.settings import Attention, Number
from kerasseq.checks import Checked, Count, Fraction
from kerasseq.errors import UserError


@dataclass(frozen=True)
class Backbone(Checked):
    """A pretrained network for pictures, frozen unless it is fine-tuned."""

    kind: Literal["backbone"] = "backbone"
    name: str = "efficientnet-lite0"  # or any of keras.applications
    weights: str = "imagenet"  # or a file
    trainable: bool = False
    width: Number = 320  # that each region is projected to


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


@dataclass(frozen=True)
class ShowAttendTell(ShowAndTell):
    """A recurrent decoder that attends to the regions of the picture for each word."""

    kind: Literal["show-attend-tell"] = "show-attend-tell"
    attention: Attention = Attention("additive")
    gate: bool = True  # scale the context vector by a gate, for each word
    pool: bool = False  # attend to frames, not to their regions


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


@dataclass(frozen=True)
class S2VT(Checked):
    """Two recurrent layers that first read the frames of a clip, then write the caption."""

    kind: Literal["s2vt"] = "s2vt"
    encoder: Encoder = field(default_factory=Backbone)
    embedding: Number = 256
    units: Number = 512
    dropout: Fraction = 0.4


Model = ShowAndTell | ShowAttendTell | Transformer | S2VT
