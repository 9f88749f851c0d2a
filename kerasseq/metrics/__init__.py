"""Metrics of texts, transcripts and captions."""

from kerasseq.metrics.calibration import calibration_error
from kerasseq.metrics.captions import caption_scores
from kerasseq.metrics.cider import CiderD
from kerasseq.metrics.intervals import t_interval
from kerasseq.metrics.speech import cer, wer
from kerasseq.metrics.text import Score, bleu, chrf, exact_match
from kerasseq.metrics.words import caption_words

__all__ = [
    "CiderD",
    "Score",
    "bleu",
    "calibration_error",
    "caption_scores",
    "caption_words",
    "cer",
    "chrf",
    "exact_match",
    "t_interval",
    "wer",
]
