"""Attention: a score (what is compared) times an alignment (where a query may attend)."""

from kerasseq.attention.alignments import ALIGNMENTS, Alignment, Global, Hard
from kerasseq.attention.base import Attention
from kerasseq.attention.multi_head import MultiHeadAttention
from kerasseq.attention.scores import (
    SCORES,
    Additive,
    Bilinear,
    Concat,
    Cosine,
    Dot,
    Location,
    ScaledDot,
    Score,
)
from kerasseq.attention.step import StepAttention, get

__all__ = [
    "ALIGNMENTS",
    "SCORES",
    "Additive",
    "Alignment",
    "Attention",
    "Bilinear",
    "Concat",
    "Cosine",
    "Dot",
    "Global",
    "Hard",
    "Location",
    "MultiHeadAttention",
    "ScaledDot",
    "Score",
    "StepAttention",
    "get",
]
