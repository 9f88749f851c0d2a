"""What `kerasseq tune translation` searches."""

from kerasseq.applications.common.tuning.space import Choice, Range, Space

SPACE = Space(
    kinds=("transformer", "rnn-attention"),
    settings=(
        Range("training.learning_rate", 3e-4, 5e-3, log=True),
        Choice("training.warm_up", (0.0, 0.05, 0.1, 0.3)),
        Choice("training.batch_tokens", (512, 1024, 2048, 4096)),
        Choice("training.ema", (0.0, 0.99, 0.999)),
        Choice("training.label_smoothing", (0.0, 0.1, 0.2)),
        Range("model.dropout", 0.0, 0.5),
        Range("model.attention_dropout", 0.0, 0.3),
        Range("model.width", 64, 256, step=32),
        Range("model.units", 128, 768, step=128),
        Range("model.encoder_layers", 1, 6, step=1),
        Range("model.decoder_layers", 1, 6, step=1),
        Range("model.embedding", 64, 320, step=64),
        Range("model.layers", 1, 4, step=1),
        Choice("model.attention.score", ("additive", "dot", "bilinear")),
        Choice("model.query", ("before", "after")),
        Choice("tokenizer.kind", ("unigram", "bpe", "char")),
        Choice(
            "tokenizer.vocabulary_size",
            (500, 2000, 4000, 8000),
            ("tokenizer.kind", ("unigram", "bpe")),
        ),
        Choice("tokenizer.sampling", (0.0, 0.1, 0.3), ("tokenizer.kind", ("unigram", "bpe"))),
    ),
    units=tuple(
        f"tokenizer.{name}" for name in ("kind", "vocabulary_size", "shared", "normalization")
    ),
    encoding=("data", "tokenizer"),
)
"""Kinds, rates, sizes, dropout, attention, pieces and their sampling."""
