"""Parts that several heads build of their settings."""

from typing import Any

from kerasseq.applications.common.settings import Attention
from kerasseq.attention import MultiHeadAttention, StepAttention
from kerasseq.decoders import TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import TransformerEncoder


def build_attention(settings: Attention, units: int) -> Any:
    """Returns the attention of a decoder of `units` units."""
    if settings.score == "multi_head":
        return MultiHeadAttention(settings.heads, units)
    return StepAttention(settings.score, settings.alignment)


def build_transformer_encoder(settings: Any, layers: int) -> TransformerEncoder:
    """Returns a Transformer encoder with the heads, units and dropout of some settings."""
    how = {"dropout": settings.dropout, "attention_dropout": settings.dropout}
    return TransformerEncoder(layers, settings.heads, settings.units, **how)


def build_transformer_decoder(
    settings: Any, vocabulary_size: int, width: int, **options: Any
) -> TransformerDecoder:
    """Returns a Transformer decoder with the layers, heads, units and dropout of some settings.

    Args:
        vocabulary_size: V of the logits.
        width: D of the memory.
    """
    embedding = TokenEmbedding(
        vocabulary_size, width, positions="sinusoidal", scale=True, dropout=settings.dropout
    )
    how = {"dropout": settings.dropout, "attention_dropout": settings.dropout, **options}
    return TransformerDecoder(embedding, settings.layers, settings.heads, settings.units, **how)
