"""Text to text."""

from kerasseq.applications.translation.config import TranslationConfig, configure
from kerasseq.applications.translation.train import train

__all__ = ["TranslationConfig", "configure", "train"]
