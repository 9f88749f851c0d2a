"""The configuration of a translation run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from kerasseq.applications.common import configuration
from kerasseq.applications.common.parts import Files, find_unused
from kerasseq.applications.common.settings import Beam
from kerasseq.applications.common.starting import all_brought, units
from kerasseq.applications.translation.model import (
    RNN,
    Convolution,
    RNNAttention,
    Transformer,
    build,
)
from kerasseq.checks import (
    Amount,
    Checked,
    Positive,
    Seed,
    Share,
    Size,
    VocabularySize,
    number,
    whole,
)
from kerasseq.errors import UserError
from kerasseq.models import Seq2Seq
from kerasseq.preprocessing.normalization import TEXT, Steps
from kerasseq.training import TrainingConfig

CONFIGS = Path(__file__).parent / "configs"

# Settings of the tokenizer that a model to start from brings with it.
_UNITS = ("kind", "vocabulary_size", "shared", "normalization", "max_length", "character_coverage")
BROUGHT = ("model", *(f"tokenizer.{name}" for name in _UNITS))


@dataclass(frozen=True)
class DataConfig(Checked):
    """What to train on; no files and no data set mean the embedded phrases."""

    dataset: str = ""
    train: Files = ()
    valid: Files = ()
    test: Files = ()
    source: str = ""  # the language, for a data set or the embedded phrases
    target: str = ""
    valid_size: Positive = 0.02  # pairs cut off without `valid`; see `part_size`
    seed: Seed = 1  # of that cut, and of the embedded phrases
    limit: Size = 2000  # characters on one side at most

    def find_unused(self) -> dict[str, str]:
        of_files = {} if self.train else {"limit": "it is of training files (--train)"}
        return find_unused(self) | of_files


@dataclass(frozen=True)
class TokenizerConfig(Checked):
    """How text becomes ids."""

    kind: Literal["unigram", "bpe", "char", "word"] = "unigram"
    vocabulary_size: VocabularySize = 8000
    shared: bool = True  # one vocabulary for both sides
    normalization: Steps = TEXT  # of both sides, and of references
    max_length: Annotated[int, whole(2, 100_000)] = 256  # pieces on one side at most
    sampling: Share = 0.0  # subword regularisation: the draw's smoothness alpha; 0 for none
    # Of the characters; below 1 for Chinese, say.
    character_coverage: Annotated[float, number(0.98, 1)] = 1.0

    def __post_init__(self):
        super().__post_init__()
        if self.sampling and self.kind not in ("unigram", "bpe"):
            raise UserError(
                f"tokenizer.sampling needs several segmentations of a text, and {self.kind} has "
                "but one; set tokenizer.kind to unigram or bpe, or sampling to 0"
            )


@dataclass(frozen=True)
class Training(TrainingConfig):
    """How to train, and in which batches."""

    best_by: Literal["loss", "bleu"] = "loss"  # what the head measures
    batch_tokens: Size = 2048  # of a batch's longer side, padding included


@dataclass(frozen=True)
class DecodingConfig(Checked):
    """How the model is measured, and how it translates unless it is told otherwise."""

    beam: Beam = 5  # 1: greedy
    length_penalty: Amount = 1.0  # the greater, the longer the texts

    def find_unused(self) -> dict[str, str]:
        return {"length_penalty": "it needs a decoding.beam of 2 or more"} if self.beam == 1 else {}


@dataclass(frozen=True)
class TranslationConfig:
    """Everything that decides which weights a run ends with."""

    data: DataConfig = field(default_factory=DataConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: Transformer | RNNAttention | RNN | Convolution = field(default_factory=Transformer)
    training: Training = field(default_factory=Training)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)

    def find_unused(self) -> dict[str, str]:
        return all_brought(self.training.start_from, BROUGHT) | {
            "training.encoder_from": "the encoder of a translation model stands on embeddings, "
            "which it would not take along"
        }


def _brought(settings: TranslationConfig, start: Seq2Seq) -> dict[str, Any]:
    preprocessor = start.preprocessor
    return units(preprocessor, settings.tokenizer.vocabulary_size) | {
        "tokenizer.shared": preprocessor.shared,
        "tokenizer.normalization": list(preprocessor.steps),
        "tokenizer.max_length": preprocessor.max_source_length,
        "model": lambda: build(settings.model, preprocessor),
    }


def configure(
    data: Mapping[str, Any],
    model: str | None = None,
    config: str | None = None,
    overrides: Iterable[str] = (),
) -> TranslationConfig:
    """The configuration of a run; see `kerasseq.applications.common.configuration.configure`."""
    return configuration.configure(
        TranslationConfig,
        CONFIGS,
        data,
        model,
        config,
        overrides,
        "transformer",
        "text",
        brought=_brought,
    )
