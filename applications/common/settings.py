"""Settings that several heads have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from kerasseq.attention import ALIGNMENTS, SCORES, MultiHeadAttention, StepAttention
from kerasseq.checks import Checked, Size, VocabularySize, whole
from kerasseq.decoders import TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import TransformerEncoder
from kerasseq.errors import UserError
from kerasseq.preprocessing.normalization import Steps

Beam = Annotated[int, whole(1, 1_000)]  # hypotheses; 1: greedy
Number = Annotated[int, whole(1, 100_000)]  # of units, layers, heads
UnitKind = Literal["unigram", "bpe", "char", "word"]

P = TypeVar("P")


@dataclass(frozen=True)
class TokenizerConfig(Checked):
    """How text becomes ids."""

    kind: UnitKind = "unigram"
    vocabulary_size: VocabularySize = 8000
    normalization: Steps = ("invisible", "nfkc", "lower", "punctuation", "spaces")
    max_length: Size = 400  # units of a text at most

    def learn(self, preprocessor: type[P], texts: Iterable[Any], **more: Any) -> P:
        """Returns a preprocessor with the units of some texts."""
        return preprocessor.learn(
            texts,
            self.kind,
            self.vocabulary_size,
            steps=self.normalization,
            max_target_length=self.max_length,
            **more,
        )


@dataclass(frozen=True)
class DecodingConfig(Checked):
    """How the model is measured, and how it writes unless it is told otherwise."""

    # Settings that only a search over several hypotheses has.
    of_beams: ClassVar[tuple[str, ...]] = ()

    beam: Beam = 1  # 1: greedy

    def find_unused(self) -> dict[str, str]:
        names = self.of_beams if self.beam == 1 else ()
        return dict.fromkeys(names, "it needs a decoding.beam of 2 or more")


@dataclass(frozen=True)
class Attention(Checked):
    """What the decoder's attention compares, and where it may look."""

    score: Literal[*SCORES, "multi_head"] = "additive"
    alignment: Literal[*ALIGNMENTS] = "global"
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
        """Returns the attention of a decoder of `units` units."""
        if self.score == "multi_head":
            return MultiHeadAttention(self.heads, units)
        return StepAttention(self.score, self.alignment)


def build_transformer_encoder(settings: Any, layers: int) -> TransformerEncoder:
    """Returns a Transformer encoder with the heads, units and dropout of some settings."""
    how = {"dropout": settings.dropout, "attention_dropout": settings.dropout}
    return TransformerEncoder(layers, settings.heads, settings.units, **how)


def build_transformer_decoder(
    settings: Any, vocabulary_size: int, width: int, **options: Any
) -> TransformerDecoder:
    """Returns a Transformer decoder with the layers, heads, units and dropout of some settings.

    Args:
        vocabulary_size: V of the logits.
        width: D of the memory.
    """
    embedding = TokenEmbedding(
        vocabulary_size, width, positions="sinusoidal", scale=True, dropout=settings.dropout
    )
    how = {"dropout": settings.dropout, "attention_dropout": settings.dropout, **options}
    return TransformerDecoder(embedding, settings.layers, settings.heads, settings.units, **how)
