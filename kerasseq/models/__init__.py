"""Models: what is trained, saved, loaded and asked for text."""

from kerasseq.models.generate import Hypothesis, Options
from kerasseq.models.seq2seq import Seq2Seq

__all__ = ["Hypothesis", "Options", "Seq2Seq"]
