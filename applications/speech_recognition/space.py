"""What `kerasseq tune speech-recognition` searches."""

from kerasseq.applications.common.tuning.space import Choice, Range, Space

SPACE = Space(
    kinds=("ctc", "hybrid", "transducer"),
    settings=(
        Range("training.learning_rate", 3e-4, 5e-3, log=True),
        Choice("training.warm_up", (0.0, 0.05, 0.1, 0.3)),
        Choice("training.batch_seconds", (8.0, 20.0, 40.0, 80.0)),
        Choice("training.ema", (0.0, 0.98, 0.99, 0.995)),
        Choice("training.label_smoothing", (0.0, 0.1), ("model.kind", ("attention", "hybrid"))),
        Range("model.encoder.dropout", 0.0, 0.5),
        Range("model.encoder.units", 64, 320, step=32),
        Range("model.encoder.layers", 1, 5, step=1),
        Range("model.dropout", 0.0, 0.5),
        Range("model.units", 64, 320, step=32),
        Choice("model.attention.score", ("location", "additive", "bilinear")),
        Range("model.ctc_weight", 0.1, 0.9),
        Choice("tokenizer.kind", ("char", "unigram", "word")),
        Choice("tokenizer.vocabulary_size", (60, 200, 1000), ("tokenizer.kind", ("unigram",))),
        Choice("sound.speeds", ([1.0], [0.9, 1.0, 1.1], [0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15])),
        Choice("sound.gain", (0.0, 6.0)),
        Choice("sound.frequency_masks", (0, 1, 2)),
        Choice("sound.frequency_width", (10, 27)),
        Choice("sound.time_masks", (0, 1, 2)),
        Choice("sound.time_width", (8, 40)),
    ),
    units=("model.kind", "model.ctc_weight", "tokenizer"),
    encoding=("data", "sound.rate", "tokenizer", "model.kind"),
)
"""Kinds, rates, sizes, dropout, attention, units and augmentation."""
