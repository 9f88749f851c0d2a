"""Metrics over well-kept libraries."""

from kerasseq.metrics.speech import cer, wer
from kerasseq.metrics.text import Score, bleu, chrf, exact_match

__all__ = ["Score", "bleu", "cer", "chrf", "exact_match", "wer"]
