"""The configuration of a speech recognition run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from kerasseq.acoustics import FrequencyWarp, LogMel, SpecAugment
from kerasseq.acoustics.augment import Extent
from kerasseq.acoustics.spectrogram import Bands
from kerasseq.applications.common import configuration
from kerasseq.applications.common.parts import ListsConfig
from kerasseq.applications.common.settings import Beam
from kerasseq.applications.common.starting import all_brought, units
from kerasseq.applications.speech_recognition.model import (
    CTC,
    Attention,
    Hybrid,
    Transducer,
    TransducerAttention,
    build,
)
from kerasseq.checks import (
    Amount,
    Checked,
    Count,
    Positive,
    Rate,
    Seconds,
    Share,
    Size,
    VocabularySize,
    number,
    whole,
)
from kerasseq.data.sound.store import Speeds
from kerasseq.errors import UserError
from kerasseq.language_model.ngram import MOST
from kerasseq.models import SequenceModel
from kerasseq.preprocessing.normalization import Steps
from kerasseq.training import TrainingConfig

CONFIGS = Path(__file__).parent / "configs"

_FRONT = ("rate", "mels", "scale", "pre_emphasis", "dither", "normalization", "warp")
_MASKS = ("frequency_masks", "frequency_width", "time_masks", "time_width", "time_fraction")
_UNITS = ("kind", "vocabulary_size", "normalization", "max_length")

# Settings that a model to start from brings with it.
BROUGHT = (
    "model",
    *(f"sound.{name}" for name in (*_FRONT, *_MASKS)),
    *(f"tokenizer.{name}" for name in _UNITS),
)


@dataclass(frozen=True)
class DataConfig(ListsConfig):
    """What to train on; no list and no data set mean the synthetic default."""

    max_seconds: Seconds = 20.0  # of a recording; longer ones are left out


@dataclass(frozen=True)
class SoundConfig(Checked):
    """The acoustic front end, and how recordings are changed in training."""

    rate: Rate = 16000  # samples a second
    mels: Bands = 80
    scale: Literal["slaney", "htk"] = "slaney"
    pre_emphasis: Share = 0.0
    dither: Amount = 0.0  # in units of a sample, in training
    normalization: Literal["utterance", "mean", "running", "none"] = "utterance"
    speeds: Speeds = (0.9, 1.0, 1.1)  # of which one is drawn for each recording
    gain: Annotated[float, number(0, 60)] = 0.0  # decibels up or down, at most
    warp: Extent = 0.0  # of frequencies, as of a longer or shorter vocal tract, at most
    frequency_masks: Count = 2
    frequency_width: Count = 27  # bands at most
    time_masks: Count = 2
    time_width: Count = 40  # frames of 10 ms at most
    time_fraction: Share = 0.2  # of a recording's frames at most

    def find_unused(self) -> dict[str, str]:
        names = {
            "frequency_masks": ["frequency_width"],
            "time_masks": ["time_width", "time_fraction"],
        }
        return {
            name: f"sound.{masks} is 0"
            for masks, some in names.items()
            for name in some
            if not getattr(self, masks)
        }


@dataclass(frozen=True)
class TokenizerConfig(Checked):
    """The units that transcripts are written in."""

    kind: Literal["char", "unigram", "bpe", "word"] = "char"  # phonemes: word
    vocabulary_size: VocabularySize = 1000
    normalization: Steps = ("invisible", "nfkc", "lower", "punctuation", "spaces")
    max_length: Size = 400  # units of a transcript at most
    # The order of an n-gram model of the transcripts; 0 for none.
    language_model: Annotated[int, whole(0, MOST)] = 0


@dataclass(frozen=True)
class DecodingConfig(Checked):
    """How the model is measured, and transcribes unless it is told otherwise."""

    beam: Beam = 1  # 1: greedy
    lm_weight: Amount = 0.0
    length_bonus: float = 0.0  # nats for each unit
    ctc_weight: Share = 0.3  # hybrid only

    def find_unused(self) -> dict[str, str]:
        names = ("lm_weight", "length_bonus") if self.beam == 1 else ()
        return dict.fromkeys(names, "it needs a decoding.beam of 2 or more")


@dataclass(frozen=True)
class Training(TrainingConfig):
    """How to train, and in which batches."""

    best_by: Literal["loss", "wer"] = "loss"  # what the head measures
    batch_seconds: Positive = 100.0  # of sound in a batch, padding included


@dataclass(frozen=True)
class SpeechConfig:
    """Everything that decides which weights a run ends with."""

    data: DataConfig = field(default_factory=DataConfig)
    sound: SoundConfig = field(default_factory=SoundConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: CTC | Transducer | Attention | TransducerAttention | Hybrid = field(default_factory=CTC)
    training: Training = field(default_factory=Training)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)

    def __post_init__(self) -> None:
        trained = getattr(self.model, "ctc_weight", None)
        if trained in (0, 1) and self.decoding.ctc_weight != trained:
            untrained = "the decoder" if trained else "CTC"
            raise UserError(
                f"decoding.ctc_weight must be {trained:g} where model.ctc_weight is {trained:g}, "
                f"since {untrained} learns nothing then"
            )

    def find_unused(self) -> dict[str, str]:
        if self.training.start_from:
            return all_brought(self.training.start_from, BROUGHT)
        found = {}
        if self.model.kind != "hybrid":
            found["decoding.ctc_weight"] = "it is for the model hybrid"
        if not self.tokenizer.language_model:
            found["decoding.lm_weight"] = "tokenizer.language_model is 0"
        return found


def _brought(settings: SpeechConfig, start: SequenceModel) -> dict[str, Any]:
    preprocessor = start.preprocessor
    found = units(preprocessor, settings.tokenizer.vocabulary_size) | {
        "sound.rate": preprocessor.rate,
        "tokenizer.normalization": list(preprocessor.steps),
        "tokenizer.max_length": preprocessor.max_target_length,
        "model": lambda: build(settings.model, settings.sound, preprocessor),
    }
    for layer in getattr(start.encoder, "layers", ()):
        if isinstance(layer, LogMel):
            names = ("mels", "scale", "pre_emphasis", "dither", "normalization")
            found |= {f"sound.{name}": layer.options[name] for name in names}
            found["sound.warp"] = 0.0
        elif isinstance(layer, FrequencyWarp):
            found["sound.warp"] = layer.extent
        elif isinstance(layer, SpecAugment):
            found |= {f"sound.{name}": getattr(layer, name) for name in _MASKS}
    return found


def configure(
    data: Mapping[str, Any],
    model: str | None = None,
    config: str | None = None,
    overrides: Iterable[str] = (),
) -> SpeechConfig:
    """The configuration of a run; see `kerasseq.applications.common.configuration.configure`."""
    return configuration.configure(
        SpeechConfig,
        CONFIGS,
        data,
        model,
        config,
        overrides,
        "ctc",
        "sound",
        brought=_brought,
    )
