"""The configuration of a speech recognition run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kerasseq.applications import configuration
from kerasseq.applications.parts import ListsConfig
from kerasseq.applications.speech_recognition.model import (
    CTC,
    Attention,
    Hybrid,
    Transducer,
    TransducerAttention,
)
from kerasseq.errors import UserError
from kerasseq.training import TrainingConfig

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class DataConfig(ListsConfig):
    """What to train on; no list and no data set mean the synthetic default."""

    max_seconds: float = 20.0  # of a recording; longer ones are left out


@dataclass(frozen=True)
class SoundConfig:
    """The acoustic front end, and how recordings are changed in training."""

    rate: int = 16000  # samples a second
    mels: int = 80
    scale: Literal["slaney", "htk"] = "slaney"
    pre_emphasis: float = 0.0
    dither: float = 0.0  # in units of a sample, in training
    normalization: Literal["utterance", "mean", "running", "none"] = "utterance"
    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)  # of which one is drawn for each recording
    gain: float = 0.0  # decibels up or down, at most
    warp: float = 0.0  # of frequencies, as of a longer or shorter vocal tract, at most
    frequency_masks: int = 2
    frequency_width: int = 27  # bands at most
    time_masks: int = 2
    time_width: int = 40  # frames of 10 ms at most
    time_fraction: float = 0.2  # of a recording's frames at most


@dataclass(frozen=True)
class TokenizerConfig:
    """The units that transcripts are written in."""

    kind: Literal["char", "unigram", "bpe", "word"] = "char"  # phonemes: word
    vocabulary_size: int = 1000
    normalization: tuple[str, ...] = ("invisible", "nfkc", "lower", "punctuation", "spaces")
    max_length: int = 400  # units of a transcript at most
    language_model: int = 0  # the order of an n-gram model of the transcripts; 0 for none

    def __post_init__(self):
        if self.language_model < 0:
            raise UserError(f"tokenizer.language_model must not be below 0: {self.language_model}")


@dataclass(frozen=True)
class DecodingConfig:
    """How the model is measured, and transcribes unless it is told otherwise."""

    beam: int = 1  # 1: greedy
    lm_weight: float = 0.0
    length_bonus: float = 0.0  # nats for each unit
    ctc_weight: float = 0.3  # hybrid only

    def __post_init__(self):
        if self.beam < 1:
            raise UserError(f"decoding.beam must be at least 1, not {self.beam}")


@dataclass(frozen=True)
class Training(TrainingConfig):
    """How to train, and in which batches."""

    batch_seconds: float = 100.0  # of sound in a batch, padding included

    def __post_init__(self):
        super().__post_init__()
        self._must("batch_seconds", self.batch_seconds > 0, "above 0")


@dataclass(frozen=True)
class SpeechConfig:
    """Everything that decides which weights a run ends with."""

    data: DataConfig = field(default_factory=DataConfig)
    sound: SoundConfig = field(default_factory=SoundConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: CTC | Transducer | Attention | TransducerAttention | Hybrid = field(default_factory=CTC)
    training: Training = field(default_factory=Training)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)


def configure(
    data: Mapping[str, Any],
    model: str | None = None,
    config: str | None = None,
    overrides: Iterable[str] = (),
) -> SpeechConfig:
    """The configuration of a run; see `kerasseq.applications.configuration.configure`."""
    return configuration.configure(SpeechConfig, CONFIGS, data, model, config, overrides, "ctc")
