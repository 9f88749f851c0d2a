"""A small Transformer-like model and data for the tests of training; run as a program, it trains.

python -m tests.toy FOLDER '{"max_steps": 20}' [--resume]
"""

import json
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from kerasseq import losses
from kerasseq.training import Run, TrainingConfig, fit

VOCABULARY = 23


@keras.saving.register_keras_serializable("kerasseq_tests")
class Toy(keras.Model):
    def __init__(self, width=16, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.embedding = keras.layers.Embedding(VOCABULARY, width)
        self.attention = keras.layers.MultiHeadAttention(2, width // 2, dropout=0.1)
        self.dropout = keras.layers.Dropout(0.2)
        self.norm = keras.layers.LayerNormalization()
        self.out = keras.layers.Dense(VOCABULARY)
        self.label_smoothing = self.r_drop = 0.0

    def build(self, _):
        self.embedding.build((None, None))
        shape = (None, None, self.width)
        self.attention.build(shape, shape)
        self.norm.build(shape)
        self.out.build(shape)
        self.built = True

    def compile(self, *args, label_smoothing=0.0, r_drop=0.0, doubly_stochastic=0.0, **kwargs):
        self.label_smoothing, self.r_drop = label_smoothing, r_drop
        super().compile(*args, **kwargs)

    def call(self, x, training=False):
        source, target = self.embedding(x["values"]), self.embedding(x["tokens"])
        mask = ops.expand_dims(x["mask"], 1)
        context = self.attention(target, source, attention_mask=mask, training=training)
        return self.out(self.norm(self.dropout(target + context, training=training)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if training and self.r_drop:
            again = self(x, training=True)
            return losses.r_drop(y_pred, again, y, sample_weight, self.label_smoothing, self.r_drop)
        return losses.cross_entropy(y_pred, y, sample_weight, self.label_smoothing)

    def evaluation_sums(self, x, y, y_pred, sample_weight):
        return losses.evaluation_sums(y_pred, y, sample_weight)

    def get_config(self):
        return {"width": self.width, "name": self.name}


def batch(seed: int, epoch: int, index: int, rows: int = 6):
    """The task: from the one word that the source repeats, count on."""
    rng = np.random.default_rng((seed, epoch, index))
    steps = 4 + 2 * (index % 2)
    mask = np.arange(steps) < rng.integers(2, steps + 1, rows)[:, None]
    first = rng.integers(4, VOCABULARY, (rows, 1))
    values = np.where(mask, first, 0).astype("int32")
    labels = np.where(mask, 4 + (first + np.arange(steps)) % (VOCABULARY - 4), 0).astype("int32")
    tokens = np.concatenate([np.full((rows, 1), 2, "int32"), labels[:, :-1]], axis=1)
    inputs = {"values": values, "mask": mask, "tokens": tokens}
    return inputs, labels, mask.astype("float32")


@dataclass
class Data:
    seed: int = 0
    batches: int = 7
    delay: float = 0.0
    on_batch: Callable = lambda epoch, index: None

    def epoch(self, epoch):
        return _Epoch(self, epoch)


@dataclass
class _Epoch:
    data: Data
    epoch: int

    def __len__(self):
        return self.data.batches

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(index)
        time.sleep(self.data.delay)
        self.data.on_batch(self.epoch, index)
        return batch(self.data.seed, self.epoch, index)


VALID = [batch(99, 0, i) for i in range(3)]


@dataclass(frozen=True)
class Config:
    training: TrainingConfig = TrainingConfig()


def score(model):
    """Stands for BLEU: a figure of the weights, which leaves its own marks on random states."""
    model.dropout(ops.ones((2, 2)), training=True)
    return {"bleu": float(zlib.crc32(digest(model).encode()) % 1000) / 10}


def digest(model) -> str:
    arrays = [np.ascontiguousarray(ops.convert_to_numpy(v)) for v in model.weights]
    return "-".join(f"{zlib.crc32(a.tobytes()):08x}" for a in arrays)


def train(folder, options: dict, resume=False, data=None, valid=VALID, **kwargs):
    """A model trained in `folder`, and its last position."""
    config = TrainingConfig(**options)
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(config.precision)
    try:
        model = Toy()
        model.build(None)
        with Run(folder, Config(config), resume, config.keep) as run:
            kwargs = {"silent": True, "on_validation": score} | kwargs
            return model, fit(model, data or Data(), valid, config, run, **kwargs)
    finally:
        keras.config.set_dtype_policy("float32")


if __name__ == "__main__":
    folder, options, delay = Path(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3])
    trained, _ = train(folder, options, "--resume" in sys.argv, Data(delay=delay))
    print(digest(trained))
