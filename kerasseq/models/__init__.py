"""Models: what is trained, saved, loaded and asked for text."""

from kerasseq.models.seq2seq import Seq2Seq

__all__ = ["Seq2Seq"]
