"""Pictures and clips to text."""

from kerasseq.lazy import define_lazy_names

# Where each name is. The configuration needs no Keras, whose import takes seconds.
_MODULES = {
    "CaptioningConfig": "kerasseq.applications.captioning.config",
    "configure": "kerasseq.applications.captioning.config",
    "plan": "kerasseq.applications.captioning.config",
    "read_parts": "kerasseq.applications.captioning.parts",
    "cross_validate": "kerasseq.applications.captioning.training",
    "train": "kerasseq.applications.captioning.training",
    "tune": "kerasseq.applications.captioning.training",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
