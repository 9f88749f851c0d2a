"""kerasseq: sequence-to-sequence learning with Keras 3.

Example:

>>> import kerasseq
>>> model = kerasseq.load("multi30k-en-de")
>>> model.generate("Two dogs are playing in the snow.", beam=1)
'Zwei Hunde spielen im Schnee.'
"""

import sys

from kerasseq.default_backend import check_name, choose, start
from kerasseq.importing import import_with_keras
from kerasseq.lazy import define_lazy_names

choose()

__version__ = "0.1.0"

# Where each name is.
_MODULES = {
    "Beam": "kerasseq.generation",
    "CTC": "kerasseq.models",
    "CaptionPreprocessor": "kerasseq.preprocessing",
    "Greedy": "kerasseq.generation",
    "HybridSeq2Seq": "kerasseq.models",
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
    "load": "kerasseq.models.load",
}
# Packages with classes that model files name, and others.
_PACKAGES = (
    "acoustics",
    "attention",
    "backbones",
    "decoders",
    "encoders",
    "generation",
    "language_model",
    "models",
    "preprocessing",
    "training",
    "transduction",
)
_OTHERS = ("data", "drawing", "media", "metrics")

__all__ = [*_MODULES, *_PACKAGES, *_OTHERS]


__getattr__, __dir__ = define_lazy_names(
    __name__, {**_MODULES, **dict.fromkeys((*_PACKAGES, *_OTHERS), "")}
)


def _load_all() -> None:
    """Import all classes, for Keras finds those alone that are imported."""
    check_name(sys.modules["keras"].backend.backend())
    for name in _MODULES:
        __getattr__(name)
    for name in _PACKAGES:
        package = __getattr__(name)
        for part in package.__all__:  # a package may import its own names lazily
            getattr(package, part)


# The command answers some questions without Keras, whose import takes seconds.
import_with_keras(__name__, _load_all, start)
