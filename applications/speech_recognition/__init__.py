"""Sound to text."""

from kerasseq.applications.speech_recognition.config import SpeechConfig, configure
from kerasseq.applications.speech_recognition.train import train

__all__ = ["SpeechConfig", "configure", "train"]
