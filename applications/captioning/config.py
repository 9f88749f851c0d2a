"""The configuration of a captioning run."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from kerasseq.applications.captioning.parts import read_parts
from kerasseq.applications.captioning.settings import (
    S2VT,
    ShowAndTell,
    ShowAttendTell,
    Transformer,
)
from kerasseq.applications.common import configuration, parts, settings
from kerasseq.applications.common.settings import Beam, UnitKind, find_brought
from kerasseq.checks import Checked, Count, Size, VocabularySize, whole
from kerasseq.config import list_keys
from kerasseq.training import TrainingConfig

CONFIGS = Path(__file__).parent / "configs"

# The settings that a model to start from brings, beside those of the section `model`.
BROUGHT = (
    *(f"pictures.{name}" for name in ("size", "frames")),
    *(f"tokenizer.{name}" for name in ("kind", "vocabulary_size", "normalization", "max_length")),
)


@dataclass(frozen=True)
class DataConfig(parts.DataConfig):
    """What to train on; without lists and without a data set, the embedded scenes."""

    images: str = ""  # the folder that lists name pictures in; by default the list's own

    def find_unused(self) -> dict[str, str]:
        of_lists = {} if self.train else {"images": "it is of lists of pictures (--train)"}
        return super().find_unused() | of_lists


@dataclass(frozen=True)
class PicturesConfig(Checked):
    """How pictures and clips are read, and changed in training."""

    size: Annotated[int, whole(8, 10_000)] = (
        224  # rows and columns that every picture is squashed to
    )
    frames: Size = 1  # of a clip at most; 1 for pictures
    flip: bool = False  # mirror every other picture; not where captions tell left from right
    shift: Count = 0  # pixels that a picture is moved at most


@dataclass(frozen=True)
class TokenizerConfig(settings.TokenizerConfig):
    """The units that captions are written in."""

    kind: UnitKind = "word"
    vocabulary_size: VocabularySize = 2500
    max_length: Size = 40  # units of a caption at most


@dataclass(frozen=True)
class DecodingConfig(settings.DecodingConfig):
    """How the model is measured, and how it writes captions unless it is told otherwise."""

    beam: Beam = 3  # 1: greedy


@dataclass(frozen=True)
class Training(TrainingConfig):
    """How to train, and in which batches."""

    best_by: Literal["loss", "cider"] = "loss"  # what the head measures
    batch_pictures: Size = 64
    self_critical: bool = False  # on CIDEr-D of what the model itself writes; start from a model
    draws: Annotated[int, whole(2, 1_000)] = 5  # captions that it writes of each picture then

    def find_unused(self) -> dict[str, str]:
        if not self.self_critical:
            return super().find_unused() | {"draws": "training.self_critical is false"}
        names = ("label_smoothing", "r_drop", "doubly_stochastic")
        return super().find_unused() | dict.fromkeys(names, "training.self_critical is true")


@dataclass(frozen=True)
class CaptioningConfig:
    """Everything that decides which weights a run ends with."""

    data: DataConfig = field(default_factory=DataConfig)
    pictures: PicturesConfig = field(default_factory=PicturesConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: ShowAttendTell | ShowAndTell | Transformer | S2VT = field(default_factory=ShowAttendTell)
    training: Training = field(default_factory=Training)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)

    def find_unused(self) -> dict[str, str]:
        keys = [key for key in list_keys(self) if key.startswith("model.")]
        keys = [key for key in keys if key != "model.encoder.trainable"]  # one may fine-tune it
        unused = find_brought(self.training.start_from, (*BROUGHT, *keys))
        if not unused and self.model.encoder.kind == "vision-transformer":
            unused["model.pool"] = "the encoder vision-transformer pools nothing"
        return unused


def _read_settings(config: CaptioningConfig, start: Any) -> dict[str, Any]:
    """Returns the settings of a model to start from."""
    # Here, since they bring Keras, which takes seconds.
    from kerasseq.applications.captioning.model import build
    from kerasseq.applications.common.starting import read_tokenizer

    preprocessor = start.preprocessor
    return read_tokenizer(preprocessor, config.tokenizer.vocabulary_size) | {
        "pictures.size": preprocessor.size[0],
        "pictures.frames": preprocessor.frames,
        "tokenizer.normalization": list(preprocessor.steps),
        "tokenizer.max_length": preprocessor.max_target_length,
        "model": lambda: build(config.model, preprocessor),
    }


def read_encoder(config: CaptioningConfig, model: Any) -> dict[str, Any]:
    """Returns the settings of a model's encoder by their dotted keys, or none."""
    # Here, since it brings Keras, which takes seconds.
    from kerasseq.applications.captioning.encoders import read_encoder

    return read_encoder(config, model)


_HOW = {
    "reads": "picture",
    "default": "show-attend-tell",
    "demo": "scenes",
    "read_settings": _read_settings,
    "read_parts": read_parts,
    "read_encoder": read_encoder,
}

plan = partial(configuration.plan, CaptioningConfig, CONFIGS, **_HOW)
"""Plans a run; see `kerasseq.applications.common.configuration.plan`."""

configure = partial(configuration.configure, CaptioningConfig, CONFIGS, **_HOW)
"""Makes the configuration of a run; see `kerasseq.applications.common.configuration.plan`."""
