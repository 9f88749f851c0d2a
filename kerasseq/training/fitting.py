"""Training that continues after an interruption as if there had been none."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras

from kerasseq.errors import UserError
from kerasseq.training.config import TrainingConfig
from kerasseq.training.loop import TrainingLoop
from kerasseq.training.model_selection import ModelSelection
from kerasseq.training.position import Position
from kerasseq.training.run import Run
from kerasseq.training.watch import Watch


class Batches(Protocol):
    """The protocol of training data.

    `epoch(e)` returns the sequence of the batches of epoch e, counted from 0. Each batch is
    (x, labels (N, T), weights (N, T)) and depends only on its epoch and its index.

    Example:

    >>> import numpy as np
    >>> class Copies:
    ...     def epoch(self, epoch):
    ...         ids = np.random.default_rng(epoch).integers(4, 9, (2, 3)).astype("int32")
    ...         x = {"values": ids, "mask": ids > 0, "tokens": ids}
    ...         return [(x, ids, np.ones((2, 3), "float32"))]
    >>> x, labels, weights = Copies().epoch(0)[0]
    >>> labels.shape, weights.shape
    ((2, 3), (2, 3))
    """

    def epoch(self, epoch: int) -> Sequence[Any]: ...


def fit(
    model: keras.Model,
    train: Batches,
    valid: Sequence[Any] | None,
    config: TrainingConfig,
    run: Run,
    on_validation: Callable[[keras.Model], dict[str, float]] | None = None,
    examples: int = 0,
    silent: bool = False,
    watch: Watch | None = None,
    follow: Callable[[Position, float], None] | None = None,
) -> Position:
    """Trains `model`, and leaves it with the weights of the best validation.

    If the process is killed at any moment, and `fit` is called again with the same arguments and a
    resumed run, it ends with the same weights, bit for bit, on the same backend and machine, unless
    `max_minutes` is set. This is measured on CPUs; a GPU also needs the deterministic kernels of
    the backend.

    A resumed run may have more epochs, steps or minutes than before. With a schedule that does not
    end, its weights are then those of a run that had this length from the start.

    If fewer than `accumulate` steps remain at the end, they make one last update of the weights
    that are validated and kept. The last checkpoint is from before this update, so that a longer
    run continues exactly.

    Args:
        model: a built model, which `fit` compiles. It has `compute_loss` and `evaluation_sums`, and
            its `compile` takes `label_smoothing`, `r_drop`, `doubly_stochastic` and, with
            `train.on_policy`, `on_policy`.
        train: `train.epoch(e)` is a sequence of batches (x, labels (N, T), weights (N, T)). With
            `train.on_policy` each batch is made from the model's current weights, the model is
            trained without dropout and label smoothing, and `train.reward()` is the mean reward of
            the last batch.
        valid: a sequence of such batches, or None to keep the last weights.
        config: the settings of the training.
        run: the folder of the checkpoints, the log and the curves.
        on_validation: measures the model with the weights of a validation, and returns metrics
            such as `{"bleu": 31.2}`.
        examples: the number of examples that `on_validation` measures; see `ModelSelection`.
        silent: show nothing.
        watch: what the training is compared with, to notice when it goes wrong.
        follow: called after each validation, with the position and the part of the training that is
            done. An exception that it raises ends the training at once.

    Returns:
        The last position: steps, seconds, the reason of the end, the results of the best
        validation.

    Raises:
        UserError: there are no batches, the settings do not fit them, the loss is not finite, or a
            checkpoint cannot be written or read.
        ValueError: the model's precision is not that of the configuration.
        Interrupted: after Ctrl-C or SIGTERM, when a checkpoint is saved.

    Example: a model learns to copy three tokens.

    >>> import dataclasses
    >>> import keras
    >>> import numpy as np
    >>> import kerasseq
    >>> class Copies:
    ...     def epoch(self, epoch):
    ...         ids = np.random.default_rng(epoch).integers(4, 9, (16, 3)).astype("int32")
    ...         tokens = np.pad(ids[:, :-1], ((0, 0), (1, 0)), constant_values=2)
    ...         x = {"values": ids, "mask": ids > 0, "tokens": tokens}
    ...         return [(x, ids, np.ones((16, 3), "float32"))]
    >>> keras.utils.set_random_seed(1)
    >>> embedding = kerasseq.TokenEmbedding(9, 16)
    >>> encoder = kerasseq.encoders.RNNEncoder(16)
    >>> decoder = kerasseq.decoders.RNNDecoder(embedding, 16, attention="dot")
    >>> model = kerasseq.Seq2Seq(embedding, encoder, decoder)
    >>> @dataclasses.dataclass(frozen=True)
    ... class Config:
    ...     training: kerasseq.training.TrainingConfig = kerasseq.training.TrainingConfig(
    ...         epochs=30, validate_every=15, learning_rate=0.01
    ...     )
    >>> with kerasseq.training.Run("copies", Config()) as run:
    ...     position = kerasseq.training.fit(
    ...         model, Copies(), Copies().epoch(99), Config().training, run, silent=True
    ...     )
    >>> position.step, position.ending
    (30, 'training.epochs is 30')
    >>> bool(position.best["loss"] < np.log(5))  # better than a guess among the 5 tokens
    True
    """
    if config.best_by != "loss" and (valid is None or on_validation is None):
        raise UserError(
            f"training.best_by = {config.best_by} needs validation data that measure it"
        )
    if config.patience and valid is None:
        raise UserError(f"training.patience = {config.patience} needs validation data")
    if valid is not None and not len(valid):
        raise UserError("there is nothing to validate on: the validation data make no batch")
    selection = ModelSelection(config.best_by, examples)
    with contextlib.closing(
        TrainingLoop(
            *(model, train, valid, config, run, on_validation, selection, silent),
            *(watch or Watch(), follow),
        )
    ) as loop:
        loop.train()
        return loop.finish()
