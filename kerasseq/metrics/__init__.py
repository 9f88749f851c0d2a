"""Metrics over well-kept libraries."""

from kerasseq.metrics.text import Score, bleu, chrf, exact_match

__all__ = ["Score", "bleu", "chrf", "exact_match"]
