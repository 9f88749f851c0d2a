"""Pictures and clips to text."""

from kerasseq.applications.captioning.config import CaptioningConfig, configure
from kerasseq.applications.captioning.train import train

__all__ = ["CaptioningConfig", "configure", "train"]
