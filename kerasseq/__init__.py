"""kerasseq: sequence-to-sequence learning with Keras 3."""

import importlib
import sys
from pathlib import Path
from typing import Any

from kerasseq.default_backend import choose

choose()

__version__ = "0.1.0"

# Where each name is.
_MODULES = {
    "Beam": "kerasseq.generation",
    "CTC": "kerasseq.models",
    "CaptionPreprocessor": "kerasseq.preprocessing",
    "Greedy": "kerasseq.generation",
    "JointSeq2Seq": "kerasseq.models",
    "Memory": "kerasseq.masking",
    "NGram": "kerasseq.language_model",
    "Options": "kerasseq.models",
    "Sample": "kerasseq.generation",
    "Seq2Seq": "kerasseq.models",
    "SpeechPreprocessor": "kerasseq.preprocessing",
    "TextPreprocessor": "kerasseq.preprocessing",
    "TokenEmbedding": "kerasseq.embedding",
    "Tokenizer": "kerasseq.preprocessing",
    "Transducer": "kerasseq.models",
    "UserError": "kerasseq.errors",
}
_PACKAGES = (
    "acoustics",
    "attention",
    "backbones",
    "decoders",
    "encoders",
    "generation",
    "models",
)

__all__ = [*_MODULES, *_PACKAGES, "load"]


def load(model: str | Path) -> Any:
    """The model of a `.keras` file, of a run folder, or of a preset's name.

    Raises:
        UserError: there is none, or the file is damaged or no Keras model.
    """
    from kerasseq.applications import presets

    return presets.load(model)


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"kerasseq.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module 'kerasseq' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


# Keras finds classes once they are imported. The command alone imports what it needs when it
# needs it, so that it answers before a backend is there.
if Path(*sys.argv[:1]).stem != "kerasseq":
    for _name in (*_MODULES, *_PACKAGES):
        __getattr__(_name)
