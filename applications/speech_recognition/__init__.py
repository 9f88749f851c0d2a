"""Sound to text."""

from kerasseq.lazy import define_lazy_names

# Where each name is. The configuration needs no Keras, whose import takes seconds.
_MODULES = {
    "SpeechConfig": "kerasseq.applications.speech_recognition.config",
    "configure": "kerasseq.applications.speech_recognition.config",
    "plan": "kerasseq.applications.speech_recognition.config",
    "read_parts": "kerasseq.applications.speech_recognition.parts",
    "cross_validate": "kerasseq.applications.speech_recognition.training",
    "train": "kerasseq.applications.speech_recognition.training",
    "tune": "kerasseq.applications.speech_recognition.training",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
