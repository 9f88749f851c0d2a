"""Settings that several heads have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from kerasseq.checks import Checked, Size, VocabularySize, whole
from kerasseq.errors import UserError
from kerasseq.preprocessing.normalization import Steps

Beam = Annotated[int, whole(1, 1_000)]  # hypotheses; 1: greedy
Number = Annotated[int, whole(1, 100_000)]  # of units, layers, heads
UnitKind = Literal["unigram", "bpe", "char", "word"]

# The names in `SCORES` and `ALIGNMENTS` of kerasseq.attention, whose import takes seconds.
Score = Literal[
    "dot", "scaled_dot", "bilinear", "cosine", "concat", "additive", "location", "multi_head"
]
Alignment = Literal["global", "hard"]

BROUGHT = "the model to start from brings its own"
"""The reason why settings have no effect in a run that starts from a model."""

P = TypeVar("P")


def find_brought(start_from: str, keys: Iterable[str]) -> dict[str, str]:
    """Returns the settings that a model to start from replaces, each with the reason."""
    return dict.fromkeys(keys, BROUGHT) if start_from else {}


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

    score: Score = "additive"
    alignment: Alignment = "global"
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
