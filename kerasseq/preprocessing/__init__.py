"""The part of a model that reads raw input and writes text: features, ids and back."""

from kerasseq.lazy import define_lazy_names

# Where each name is. The preprocessors need Keras, and the readers of files do not.
_MODULES = {
    "CaptionPreprocessor": "kerasseq.preprocessing.captioning",
    "SpeechPreprocessor": "kerasseq.preprocessing.speech",
    "TextPreprocessor": "kerasseq.preprocessing.text",
    "Tokenizer": "kerasseq.preprocessing.tokenizer",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
