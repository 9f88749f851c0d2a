"""Settings that several heads' models have."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from kerasseq.attention import MultiHeadAttention, StepAttention
from kerasseq.checks import Checked, whole
from kerasseq.decoders import TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import TransformerEncoder
from kerasseq.errors import UserError

Beam = Annotated[int, whole(1, 1_000)]  # hypotheses; 1: greedy
Number = Annotated[int, whole(1, 100_000)]  # of units, layers, heads


@dataclass(frozen=True)
class Attention(Checked):
    """What the decoder's attention compares, and where it may look."""

    score: Literal[
        "dot",
        "scaled_dot",
        "bilinear",
        "cosine",
        "concat",
        "additive",
        "location",
        "multi_head",
    ] = "additive"
    alignment: Literal["global", "hard"] = "global"
    heads: Number = 4  # multi_head only

    def find_unused(self) -> dict[str, str]:
        return {} if self.score == "multi_head" else {"heads": "the score is not multi_head"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.score == "multi_head" and self.alignment != "global":
            raise UserError(
                f"model.attention.alignment={self.alignment} is for one head: leave it out or take "
                "another model.attention.score than multi_head"
            )

    def build(self, units: int) -> Any:
        """The attention of a decoder of so many units."""
        if self.score == "multi_head":
            return MultiHeadAttention(self.heads, units)
        return StepAttention(self.score, self.alignment)


def transformer_encoder(settings: Any, layers: int) -> TransformerEncoder:
    """So many layers of a Transformer, with the settings' heads, units and dropout."""
    how = {"dropout": settings.dropout, "attention_dropout": settings.dropout}
    return TransformerEncoder(layers, settings.heads, settings.units, **how)


def transformer_decoder(settings: Any, size: int, width: int, **options: Any) -> TransformerDecoder:
    """A Transformer that writes `size` units on a memory of `width`, with the settings' layers."""
    embedding = TokenEmbedding(
        size, width, positions="sinusoidal", scale=True, dropout=settings.dropout
    )
    how = {"dropout": settings.dropout, "attention_dropout": settings.dropout, **options}
    return TransformerDecoder(embedding, settings.layers, settings.heads, settings.units, **how)
