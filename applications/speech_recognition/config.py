"""The configuration of a speech recognition run."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from kerasseq.applications.common import configuration, parts, settings
from kerasseq.applications.common.settings import UnitKind, find_brought
from kerasseq.applications.speech_recognition.parts import read_parts
from kerasseq.applications.speech_recognition.settings import (
    CTC,
    Attention,
    Encoder,
    Hybrid,
    Transducer,
    TransducerAttention,
)
from kerasseq.checks import (
    MOST_ORDER,
    Amount,
    Bands,
    Checked,
    Count,
    Extent,
    Positive,
    Rate,
    Seconds,
    Share,
    Speeds,
    VocabularySize,
    number,
    whole,
)
from kerasseq.errors import UserError
from kerasseq.training import TrainingConfig

CONFIGS = Path(__file__).parent / "configs"

_FEATURES = ("rate", "mels", "scale", "pre_emphasis", "dither", "normalization", "margin")
_FRONT = (*_FEATURES, "warp")
_MASKS = ("frequency_masks", "frequency_width", "time_masks", "time_width", "time_fraction")
_UNITS = ("kind", "vocabulary_size", "normalization", "max_length")

# The settings that a model to start from brings.
BROUGHT = (
    "model",
    *(f"sound.{name}" for name in (*_FRONT, *_MASKS)),
    *(f"tokenizer.{name}" for name in _UNITS),
)


@dataclass(frozen=True)
class DataConfig(parts.DataConfig):
    """What to train on; without lists and without a data set, the synthetic demonstration."""

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
    margin: Annotated[int, whole(0, 1_000)] = 0  # frames of 10 ms of quiet at each end
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
class TokenizerConfig(settings.TokenizerConfig):
    """The units that transcripts are written in."""

    kind: UnitKind = "char"  # phonemes: word
    vocabulary_size: VocabularySize = 1000
    # The order of an n-gram model of the transcripts; 0 for none.
    language_model: Annotated[int, whole(0, MOST_ORDER)] = 0


@dataclass(frozen=True)
class DecodingConfig(settings.DecodingConfig):
    """How the model is measured, and how it transcribes unless it is told otherwise."""

    of_beams = ("lm_weight", "length_bonus")

    lm_weight: Amount = 0.0
    length_bonus: float = 0.0  # nats for each unit
    ctc_weight: Share = 0.3  # hybrid only


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
            return find_brought(self.training.start_from, BROUGHT)
        unused = {}
        if self.model.kind != "hybrid":
            unused["decoding.ctc_weight"] = "it is for the model hybrid"
        if not self.tokenizer.language_model:
            unused["decoding.lm_weight"] = "tokenizer.language_model is 0"
        return unused


def _read_settings(config: SpeechConfig, start: Any) -> dict[str, Any]:
    """Returns the settings of a model to start from."""
    # Here, since they bring Keras, which takes seconds.
    from kerasseq.acoustics import FrequencyWarp, LogMel, SpecAugment
    from kerasseq.applications.common.starting import read_tokenizer
    from kerasseq.applications.speech_recognition.model import build

    preprocessor = start.preprocessor
    own = read_tokenizer(preprocessor, config.tokenizer.vocabulary_size) | {
        "sound.rate": preprocessor.rate,
        "tokenizer.normalization": list(preprocessor.steps),
        "tokenizer.max_length": preprocessor.max_target_length,
        "model": lambda: build(config.model, config.sound, preprocessor),
    }
    for layer in getattr(start.encoder, "layers", ()):
        if isinstance(layer, LogMel):
            own |= {f"sound.{name}": layer.options[name] for name in _FEATURES}
            own["sound.warp"] = 0.0
        elif isinstance(layer, FrequencyWarp):
            own["sound.warp"] = layer.extent
        elif isinstance(layer, SpecAugment):
            own |= {f"sound.{name}": getattr(layer, name) for name in _MASKS}
    return own


def read_encoder(config: SpeechConfig, model: Any) -> dict[str, Any]:
    """Returns the settings of a model's encoder by their dotted keys, or none."""
    # Here, since they bring Keras, which takes seconds.
    from kerasseq.acoustics import LogMel
    from kerasseq.acoustics.augment import Augmentation
    from kerasseq.applications.common.encoders import flatten_settings, guess_settings
    from kerasseq.applications.speech_recognition.model import build_encoder

    front, *layers = getattr(model.encoder, "layers", (None,))
    layers = [layer for layer in layers if not isinstance(layer, Augmentation)]
    encoder = guess_settings(get_args(Encoder), layers, build_encoder)
    if not isinstance(front, LogMel) or encoder is None:
        return {}
    features = {f"sound.{name}": front.options[name] for name in _FEATURES}
    return features | flatten_settings("model.encoder", encoder)


_HOW = {
    "reads": "sound",
    "default": "ctc",
    "demo": "phrases",
    "read_settings": _read_settings,
    "read_parts": read_parts,
    "read_encoder": read_encoder,
}

plan = partial(configuration.plan, SpeechConfig, CONFIGS, **_HOW)
"""Plans a run; see `kerasseq.applications.common.configuration.plan`."""

configure = partial(configuration.configure, SpeechConfig, CONFIGS, **_HOW)
"""Makes the configuration of a run; see `kerasseq.applications.common.configuration.plan`."""
