"""The training loop: exact to the bit over any interruption."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import keras
import numpy as np

from kerasseq import backend
from kerasseq.drawing.curves import training_curve
from kerasseq.errors import UserError
from kerasseq.training import averaging
from kerasseq.training.config import TrainingConfig
from kerasseq.training.interrupt import Interrupted, Signals
from kerasseq.training.optimizer import make_optimizer
from kerasseq.training.position import Position
from kerasseq.training.prefetch import prefetch
from kerasseq.training.progress import Progress
from kerasseq.training.run import Run
from kerasseq.training.schedules import schedule
from kerasseq.training.tensorboard import TensorBoard

# No more work than this is lost to a kill, however slow the steps are.
_SAVE_SECONDS = 60.0


class Batches(Protocol):
    """Training data: each batch is (x, labels, weights) and depends on nothing but its place."""

    def epoch(self, epoch: int) -> Sequence[Any]: ...


def fit(
    model: keras.Model,
    train: Batches,
    valid: Sequence[Any] | None,
    config: TrainingConfig,
    run: Run,
    on_validation: Callable[[keras.Model], dict[str, float]] | None = None,
    silent: bool = False,
) -> Position:
    """Train `model` and leave it with the weights that did best in validation.

    Killed at any instant and called again with the same arguments and a resumed run, it ends with
    the same weights, bit for bit, on the same backend and machine, unless `max_minutes` ends it.
    This was measured on CPUs; a GPU needs the backend's deterministic kernels besides.

    Args:
        model: built; compiled here. It has `compute_loss` and `evaluation_sums`, and its `compile`
            takes `label_smoothing`, `r_drop`, `doubly_stochastic` and, where `train.on_policy`,
            `on_policy`.
        train: `train.epoch(e)` is a sequence of batches (x, labels (N, T), weights (N, T)); with
            `train.on_policy` these are made with the model's weights, each when it is due, and the
            model is trained as it is in use, without dropout or label smoothing.
        valid: a sequence of such batches; None to keep the last weights.
        config: how to train.
        run: where to keep what is saved.
        on_validation: further figures of the model with the weights under validation, e.g.
            `{"bleu": 31.2}`.
        silent: show nothing.

    Returns:
        The last position: steps, seconds, why training ended, the best validation's figures.

    Raises:
        UserError: no batches; the loss is not finite; a checkpoint cannot be written or read.
        ValueError: the model was built for another precision than the configuration's.
        Interrupted: Ctrl-C or SIGTERM, once a checkpoint is saved.
    """
    if config.best_by != "loss" and (valid is None or on_validation is None):
        raise UserError(
            f"training.best_by = {config.best_by} needs validation data that measure it"
        )
    with contextlib.closing(_Loop(model, train, valid, config, run, on_validation, silent)) as loop:
        loop.train()
        return loop.finish()


class _Loop:
    def __init__(self, model, train, valid, config, run, on_validation, silent):
        self.model, self.batches, self.valid = model, train, valid
        self.config, self.run, self.on_validation = config, run, on_validation
        self.pending = []  # losses that nobody has waited for yet
        self.shown = self.started = time.monotonic()
        first = train.epoch(0)
        if not len(first):
            raise UserError("there is nothing to train on: the training data make no batch")
        total = len(first) * config.epochs
        total = min(total, config.max_steps) if config.max_steps else total
        self.schedule = schedule(config, total)
        self.on_policy = getattr(train, "on_policy", False)
        _prepare(model, first, config, total, self.on_policy)
        self.stepper = backend.stepper(model)
        self.signals = Signals()
        self.progress = Progress(total, 60 * config.max_minutes, silent)
        self.position = Position()
        state = run.checkpoints.restore(model)
        if state is None:
            self.save()  # from here on nothing depends on how the model was made
        else:
            self.position = Position(**state)
        self.started = time.monotonic() - self.position.seconds
        run.rewind(self.position.log)
        self.board = None
        if config.tensorboard:
            self.board = TensorBoard(run.folder / "tensorboard", self.position.step)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def train(self) -> None:
        position, saved = self.position, self.position.step
        saved_at = time.monotonic()
        batches = self._batches_from(position.epoch, position.index)
        batches = batches if self.on_policy else prefetch(batches)
        with self.signals, contextlib.closing(batches):
            while True:
                if position.due:
                    self._validate()
                if self.signals.received:
                    self._interrupt()
                wanted = position.validated == position.step
                wanted = wanted or position.step % self.config.save_every == 0
                wanted = wanted or time.monotonic() - saved_at >= _SAVE_SECONDS
                if wanted and saved != position.step:
                    self.save()
                    saved, saved_at = position.step, time.monotonic()
                if position.ending:
                    return
                if self.on_policy:
                    self.stepper.sync()
                count, batch = next(batches)
                self.pending.append((self.stepper(batch), float(np.abs(batch[2]).sum())))
                self._advance(count)

    def finish(self) -> Position:
        """Give the model its best weights, and draw."""
        if self.position.best:
            step = self.position.best["step"]
            averaging.put(self.model, self.run.checkpoints.weights("best", step))
        self._draw()
        self.progress.say(f"Training is over: {self.position.ending}.")
        return self.position

    def save(self) -> None:
        self._settle()
        self.stepper.sync()
        position = self.position
        position.seconds, position.log = self.seconds, self.run.mark()
        needed = {"weights": position.averaged, "best": []}
        if position.best:
            needed["best"] = [position.best["step"]]
        self.run.checkpoints.save(self.model, asdict(position), needed)

    def close(self) -> None:
        self.progress.close()
        if self.board:
            self.board.close()

    def _batches_from(self, epoch: int, index: int) -> Iterator[tuple[int, Any]]:
        """The batches to come, each with the number of batches in its epoch."""
        while True:
            batches = self.batches.epoch(epoch)
            for i in range(index, len(batches)):
                yield len(batches), batches[i]
            epoch, index = epoch + 1, 0

    def _advance(self, count: int) -> None:
        """Count a step of an epoch of `count` batches, and see what is due."""
        config, position = self.config, self.position
        self.run.begin()
        position.step += 1
        position.index += 1
        epoch_over = position.index >= count
        if epoch_over:
            position.epoch, position.index = position.epoch + 1, 0
        if config.max_steps and position.step >= config.max_steps:
            position.ending = f"training.max_steps is {config.max_steps}"
        elif position.epoch >= config.epochs:
            position.ending = f"training.epochs is {config.epochs}"
        elif config.max_minutes and self.seconds >= 60 * config.max_minutes:
            position.ending = f"training.max_minutes is {config.max_minutes:g}"
        every = config.validate_every
        position.due = bool(position.ending) or (
            position.step % every == 0 if every else epoch_over
        )
        if position.step % config.log_every == 0:
            self._settle()
            self._log_window()
        elif time.monotonic() - self.shown > 0.5:
            self._settle()

    def _settle(self) -> None:
        """Wait for the losses that are under way."""
        position = self.position
        first = position.step - len(self.pending) + 1
        for step, (loss, tokens) in enumerate(self.pending, first):
            loss = float(loss)
            if not math.isfinite(loss):
                raise UserError(
                    f"the loss is {loss} at step {step}; the weights before are in "
                    f"{self.run.checkpoints.newest()}. Train in a new folder with a lower "
                    "training.learning_rate, more training.warm_up or a training.clip_norm"
                )
            position.loss_sum += loss * tokens
            position.loss_tokens += tokens
            position.tokens += round(tokens)
        if self.pending:
            loss = position.loss_sum / max(position.loss_tokens, 1e-9)
            self.progress.update(
                position.step, position.of_epoch, self.seconds, position.tokens, loss
            )
        self.pending.clear()
        self.shown = time.monotonic()

    def _log_window(self) -> None:
        position, seconds = self.position, self.seconds
        tokens = position.tokens - position.logged_tokens
        elapsed = max(seconds - position.logged_seconds, 1e-9)
        self._log(
            {
                "kind": "train",
                "step": position.step,
                "epoch": position.of_epoch,
                "loss": position.loss_sum / max(position.loss_tokens, 1e-9),
                "learning_rate": float(self.schedule(position.step - 1)),
                "tokens": position.tokens,
                "tokens_per_second": round(tokens / elapsed),
                "seconds": round(seconds, 1),
            }
        )
        position.loss_sum = position.loss_tokens = 0.0
        position.logged_tokens, position.logged_seconds = position.tokens, seconds

    def _log(self, row: dict) -> None:
        self.run.append(row)
        if self.board:
            self.board.add(row)

    def _validate(self) -> None:
        """Measure the weights, or their average, and keep them if they are the best so far.

        Leaves no trace in the training that follows, and none at all where a signal cut it short.
        """
        self._settle()
        self.stepper.sync()
        config, position, step = self.config, self.position, self.position.step
        checkpoints, averaged = self.run.checkpoints, []
        if config.average_last:
            checkpoints.save_weights("weights", self.model, step)
            averaged = [*position.averaged, step][-config.average_last :]
        with averaging.kept(self.model):
            if config.ema:
                averaging.put_moving_average(self.model)
            elif averaged:
                averaging.put(self.model, averaging.mean_of(checkpoints, averaged))
            figures = self._figures()
            if self.signals.received:
                return
            better = _is_better(figures, position.best, config.best_by)
            if better:
                checkpoints.save_weights("best", self.model, step)
        position.averaged, position.validated, position.due = averaged, step, False
        row = {"step": step, "epoch": position.of_epoch, **figures}
        position.worse = 0 if better else position.worse + 1
        position.best = row if better else position.best
        if config.patience and position.worse >= config.patience and not position.ending:
            position.ending = f"{position.worse} validations without a better one"
        self._log({"kind": "valid", **row, "best": better, "seconds": round(self.seconds, 1)})
        shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self.progress.say(f"step {step:,}  {shown}" + ("  (best)" if better else ""))

    def _figures(self) -> dict[str, float]:
        figures = {}
        if self.valid is not None:
            sums = []
            for i in range(len(self.valid)):
                if self.signals.received:
                    return {}
                sums.append(self.stepper.evaluate(self.valid[i]))
            columns = zip(*sums, strict=True)
            loss, weight, *right = (math.fsum(map(float, column)) for column in columns)
            figures = {"loss": loss / weight}
            if right:
                figures["accuracy"] = right[0] / weight
        if self.on_validation is not None:
            figures |= {k: float(v) for k, v in self.on_validation(self.model).items()}
        return figures

    def _interrupt(self) -> None:
        self.save()
        self._draw()
        raise Interrupted(
            f"Interrupted at step {self.position.step:,}, which is saved in {self.run.folder}; "
            "go on with the same command and --resume.",
            128 + self.signals.received,
        )

    def _draw(self) -> None:
        training_curve(self.run.rows(), self.run.curves_path)


def _prepare(model, batches, config, total_steps, on_policy):
    if model.dtype_policy.name != config.precision:
        raise ValueError(
            f"the model computes in {model.dtype_policy.name}, but training.precision is "
            f"{config.precision}: call keras.config.set_dtype_policy before it is built"
        )
    if not model.built:
        model(batches[0][0])
    model.compile(
        optimizer=make_optimizer(config, total_steps),
        label_smoothing=config.label_smoothing,
        r_drop=config.r_drop,
        doubly_stochastic=config.doubly_stochastic,
        **({"on_policy": True} if on_policy else {}),
    )
    model.optimizer.build(model.trainable_variables)


def _is_better(figures, best, by):
    if not best or by not in figures:
        return True
    return figures[by] > best[by] if by in ("bleu", "cider") else figures[by] < best[by]
