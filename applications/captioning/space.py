"""What `kerasseq tune captioning` searches."""

from kerasseq.applications.common.tuning.space import Choice, Range, Space

# With a frozen backbone each change of a picture would encode it again.
_TRAINED = ("model.encoder.kind", ("convolution", "vision-transformer"))

SPACE = Space(
    kinds=("show-attend-tell", "transformer"),
    settings=(
        Range("training.learning_rate", 2e-4, 4e-3, log=True),
        Choice("training.warm_up", (0.0, 0.05, 0.1, 0.3)),
        Choice("training.batch_pictures", (16, 32, 64, 128)),
        Choice("training.ema", (0.0, 0.98, 0.99)),
        Choice("training.label_smoothing", (0.0, 0.1, 0.2)),
        Range("model.dropout", 0.1, 0.6),
        Range("model.embedding", 64, 320, step=64),
        Range("model.units", 128, 1024, step=128),
        Range("model.encoder.width", 128, 384, step=64),
        Range("model.encoder_layers", 0, 2, step=1),
        Range("model.layers", 1, 4, step=1),
        Choice("model.tied", (False, True)),
        Choice("model.attention.score", ("additive", "bilinear", "multi_head")),
        Choice("model.gate", (False, True)),
        Choice("pictures.shift", (0, 8, 16), _TRAINED),
        Choice("tokenizer.kind", ("word", "unigram")),
        Choice("tokenizer.vocabulary_size", (500, 1000, 2500)),
    ),
    units=("tokenizer",),
    encoding=("data", "pictures", "tokenizer", "model.encoder.kind", "model.encoder.name")
    + ("model.encoder.weights", "model.encoder.trainable", "model.pool", "model.kind"),
)
"""Kinds, rates, sizes, dropout, attention and units; without a backbone, shifts of pictures too."""
