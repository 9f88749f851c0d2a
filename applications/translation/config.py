"""The configuration of a translation run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from kerasseq.applications.translation.model import (
    RNN,
    Convolution,
    RNNAttention,
    Transformer,
)
from kerasseq.config import read
from kerasseq.errors import UserError
from kerasseq.training import TrainingConfig

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class DataConfig:
    """What to train on; no files and no data set mean the embedded phrases."""

    dataset: str = ""
    train: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    source: str = ""  # the language, for a data set or the embedded phrases
    target: str = ""
    valid_size: float = 0.02  # pairs cut off without `valid`, or below 1 the part of all
    seed: int = 1  # of that cut, and of the embedded phrases
    limit: int = 2000  # characters on one side at most


@dataclass(frozen=True)
class TokenizerConfig:
    """How text becomes ids."""

    kind: Literal["unigram", "bpe", "char", "word"] = "unigram"
    vocabulary_size: int = 8000
    shared: bool = True  # one vocabulary for both sides
    lowercase: bool = False
    max_length: int = 256  # pieces on one side at most
    sampling: float = 0.0  # subword regularisation: the draw's smoothness alpha; 0 for none
    character_coverage: float = 1.0  # of the characters; below 1 for Chinese, say

    def __post_init__(self):
        if not 0 <= self.sampling <= 1:
            raise UserError(f"tokenizer.sampling must be from 0 to 1, not {self.sampling}")
        if self.sampling and self.kind not in ("unigram", "bpe"):
            raise UserError(
                f"tokenizer.sampling needs several segmentations of a text, and {self.kind} has "
                "but one; set tokenizer.kind to unigram or bpe, or sampling to 0"
            )
        if not 0 < self.character_coverage <= 1:
            raise UserError(
                "tokenizer.character_coverage must be above 0 and at most 1, "
                f"not {self.character_coverage}"
            )
        if self.max_length < 2:
            raise UserError(f"tokenizer.max_length must be at least 2, not {self.max_length}")


@dataclass(frozen=True)
class TranslationConfig:
    """Everything that decides which weights a run ends with."""

    data: DataConfig = field(default_factory=DataConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: Transformer | RNNAttention | RNN | Convolution = field(default_factory=Transformer)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def configure(
    data: Mapping[str, Any],
    model: str | None = None,
    config: str | None = None,
    overrides: Iterable[str] = (),
) -> TranslationConfig:
    """The configuration of a run: that of the model, changed by `config`, `overrides`, `data`.

    Args:
        data: fields of `DataConfig` that are set. Without any, and without a model or a
            configuration, the settings are those that suit the embedded phrases.
        model: a kind of model, whose settings come with the head; by default a Transformer,
            unless `config` names another.
        config: a TOML file, or the name of a configuration that comes with the head.
        overrides: texts "section.key=value".

    Raises:
        UserError: a file cannot be read, or a setting is unknown or of another type.
    """
    embedded = not data.get("train") and not data.get("dataset")
    names = [name for name in (model, config) if name]
    files = [_shipped(name) for name in names or ["phrases" if embedded else "transformer"]]
    settings = read(TranslationConfig, files, overrides)
    if model and settings.model.kind != model:
        raise UserError(
            f"--model {model}, but the configuration's model is a {settings.model.kind}: "
            "leave out one of them."
        )
    return replace(settings, data=replace(settings.data, **_frozen(data)))


def _frozen(data: Mapping[str, Any]) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def _shipped(name: str) -> Path:
    path = Path(name)
    if path.suffix == ".toml":
        return path
    path = CONFIGS / f"{name}.toml"
    if not path.exists():
        names = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.toml")))
        raise UserError(f"There is no configuration {name!r}. There are: {names}.")
    return path
