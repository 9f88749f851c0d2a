"""The configuration of a translation run."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from kerasseq.applications.common import configuration, parts, settings
from kerasseq.applications.common.settings import Beam, find_brought
from kerasseq.applications.translation.parts import read_parts
from kerasseq.applications.translation.settings import (
    RNN,
    Convolution,
    RNNAttention,
    Transformer,
)
from kerasseq.checks import Amount, Positive, Share, Size, number, whole
from kerasseq.errors import UserError
from kerasseq.preprocessing.normalization import TEXT, Steps
from kerasseq.training import TrainingConfig

CONFIGS = Path(__file__).parent / "configs"

# The settings of the tokenizer that a model to start from brings.
_UNITS = ("kind", "vocabulary_size", "shared", "normalization", "max_length", "character_coverage")
BROUGHT = ("model", *(f"tokenizer.{name}" for name in _UNITS))


@dataclass(frozen=True)
class DataConfig(parts.DataConfig):
    """What to train on; without files and without a data set, the embedded phrases."""

    valid_size: Positive = 0.02  # pairs
    source: str = ""  # the language, for a data set or the embedded phrases
    target: str = ""
    limit: Size = 2000  # characters on one side at most

    def find_unused(self) -> dict[str, str]:
        of_files = {} if self.train else {"limit": "it is of training files (--train)"}
        return super().find_unused() | of_files


@dataclass(frozen=True)
class TokenizerConfig(settings.TokenizerConfig):
    """How the text of both sides becomes ids."""

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
class DecodingConfig(settings.DecodingConfig):
    """How the model is measured, and how it translates unless it is told otherwise."""

    of_beams = ("length_penalty",)

    beam: Beam = 5  # 1: greedy
    length_penalty: Amount = 1.0  # the greater, the longer the texts


@dataclass(frozen=True)
class TranslationConfig:
    """Everything that decides which weights a run ends with."""

    data: DataConfig = field(default_factory=DataConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: Transformer | RNNAttention | RNN | Convolution = field(default_factory=Transformer)
    training: Training = field(default_factory=Training)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)

    def find_unused(self) -> dict[str, str]:
        return find_brought(self.training.start_from, BROUGHT) | {
            "training.encoder_from": "the encoder of a translation model stands on embeddings, "
            "which it would not take along"
        }


def _read_settings(config: TranslationConfig, start: Any) -> dict[str, Any]:
    """Returns the settings of a model to start from."""
    # Here, since they bring Keras, which takes seconds.
    from kerasseq.applications.common.starting import read_tokenizer
    from kerasseq.applications.translation.model import build

    preprocessor = start.preprocessor
    return read_tokenizer(preprocessor, config.tokenizer.vocabulary_size) | {
        "tokenizer.shared": preprocessor.shared,
        "tokenizer.normalization": list(preprocessor.steps),
        "tokenizer.max_length": preprocessor.max_source_length,
        "model": lambda: build(config.model, preprocessor),
    }


_HOW = {
    "reads": "text",
    "default": "transformer",
    "demo": "phrases",
    "read_settings": _read_settings,
    "read_parts": read_parts,
}

plan = partial(configuration.plan, TranslationConfig, CONFIGS, **_HOW)
"""Plans a run; see `kerasseq.applications.common.configuration.plan`."""

configure = partial(configuration.configure, TranslationConfig, CONFIGS, **_HOW)
"""Makes the configuration of a run; see `kerasseq.applications.common.configuration.plan`."""
