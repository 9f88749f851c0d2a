"""Text to text."""

from kerasseq.lazy import define_lazy_names

# Where each name is. The configuration needs no Keras, whose import takes seconds.
_MODULES = {
    "TranslationConfig": "kerasseq.applications.translation.config",
    "configure": "kerasseq.applications.translation.config",
    "plan": "kerasseq.applications.translation.config",
    "read_parts": "kerasseq.applications.translation.parts",
    "cross_validate": "kerasseq.applications.translation.training",
    "train": "kerasseq.applications.translation.training",
    "tune": "kerasseq.applications.translation.training",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
