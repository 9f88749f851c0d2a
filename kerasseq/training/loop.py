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
from kerasseq.training import averaging, limits
from kerasseq.training.checkpoint import writing
from kerasseq.training.choice import Choice
from kerasseq.training.config import TrainingConfig
from kerasseq.training.horizon import Horizon
from kerasseq.training.interrupt import Interrupted, Signals
from kerasseq.training.objective import objective, prepare
from kerasseq.training.optimizer import spread_schedule
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
    examples: int = 0,
    silent: bool = False,
) -> Position:
    """Train `model` and leave it with the weights that did best in validation; see `Choice`.

    Killed at any instant and called again with the same arguments and a resumed run, it ends with
    the same weights, bit for bit, on the same backend and machine, unless `max_minutes` is set.
    This was measured on CPUs; a GPU needs the backend's deterministic kernels besides.

    A resumed run may have more epochs, steps or minutes than before. With a schedule that does not
    end its weights are then those of a run that was as long from the start.

    Where the last update has fewer than `accumulate` steps, it is made of those that there are, in
    the weights that are validated and kept. The checkpoint is that before it, so that a run that
    is made longer is the same as one that was as long from the start.

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
        examples: how many examples that are measured on.
        silent: show nothing.

    Returns:
        The last position: steps, seconds, why training ended, the best validation's figures.

    Raises:
        UserError: no batches; settings that do not fit them; the loss is not finite; a checkpoint
            cannot be written or read.
        ValueError: the model was built for another precision than the configuration's.
        Interrupted: Ctrl-C or SIGTERM, once a checkpoint is saved.
    """
    if config.best_by != "loss" and (valid is None or on_validation is None):
        raise UserError(
            f"training.best_by = {config.best_by} needs validation data that measure it"
        )
    if config.patience and valid is None:
        raise UserError(f"training.patience = {config.patience} needs validation data")
    if valid is not None and not len(valid):
        raise UserError("there is nothing to validate on: the validation data make no batch")
    choice = Choice(config.best_by, examples)
    with contextlib.closing(
        _Loop(model, train, valid, config, run, on_validation, choice, silent)
    ) as loop:
        loop.train()
        return loop.finish()


class _Loop:
    def __init__(self, model, train, valid, config, run, on_validation, choice, silent):
        self.model, self.batches, self.valid = model, train, valid
        self.config, self.run, self.on_validation = config, run, on_validation
        self.choice = choice
        self.pending = []  # losses that nobody has waited for yet
        self.shown = self.started = time.monotonic()
        first = train.epoch(0)
        if not len(first):
            raise UserError("there is nothing to train on: the training data make no batch")
        self.steps_per_epoch = len(first)
        total = limits.planned_steps(config, len(first))
        self.on_policy = getattr(train, "on_policy", False)
        prepare(model, first, config, total, self.on_policy)
        self.objective = objective(model, config, self.on_policy)
        self.stepper = backend.stepper(model)
        self.signals = Signals()
        self.progress = Progress(total, 60 * config.max_minutes, silent)
        for warning in limits.warnings(config, total):
            self.progress.say(warning)
        self.position = Position()
        state = run.checkpoints.restore(model)
        if state is None:
            if run.mark():
                raise UserError(
                    f"{run.folder}: has the log of a training but no checkpoint to go on from: "
                    "they were deleted; put them back, or train in a new folder"
                )
            self.save()  # from here on nothing depends on how the model was made
        else:
            self.position = Position(**state)
            self.position.ending = limits.ending(config, self.position)
        self.started = time.monotonic() - self.position.seconds
        run.rewind(self.position.log)
        spread = 0.0 if run.changed else self.position.horizon
        self.horizon = Horizon(total, 60 * config.max_minutes, spread)
        self._spread()
        if run.changed:
            rate = float(self.schedule(self.position.step))
            self.progress.say(
                f"Changed: {'; '.join(run.changed)}. The learning rate goes on at {rate:.3g}."
            )
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
                if self.horizon.is_due(self.seconds):
                    self._settle()
                    if self.horizon.estimate(position.step, self.seconds):
                        self._spread()

    def finish(self) -> Position:
        """Give the model its best weights, and draw."""
        if self.position.best:
            step = self.position.best["step"]
            averaging.put(self.model, self.run.checkpoints.weights("best", step))
        self._draw()
        self.progress.say(f"Training is over: {self.position.ending}.")
        if short := limits.shortfall(self.config, self.position, self.steps_per_epoch):
            self.progress.say(short)
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
        position.seconds = self.seconds
        position.ending = limits.ending(config, position)
        every = config.validate_every
        position.due = bool(position.ending) or (
            position.step % every == 0 if every else epoch_over
        )
        if position.step % config.log_every == 0 or position.ending:
            self._settle()
            self._log(position.window(self._rate()))
            position.open_window()
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
        finish = bool(position.ending) and config.accumulate > 1
        optimizer = self.model.optimizer.variables if finish else []
        with averaging.kept([*self.model.variables, *optimizer]):
            if finish:
                self.stepper.finish_window()
            if config.average_last:
                checkpoints.save_weights("weights", self.model, step)
                averaged = [*position.averaged, step][-config.average_last :]
                averaging.put(self.model, averaging.mean_of(checkpoints, averaged))
            elif config.ema:
                averaging.put_moving_average(self.model)
            figures = self._figures()
            if self.signals.received:
                return
            top = self.choice.top(figures, position.top)
            better = self.choice.is_better(figures, position.best, top)
            if better:
                checkpoints.save_weights("best", self.model, step)
        position.averaged, position.validated, position.due = averaged, step, False
        row = {"step": step, "epoch": position.of_epoch, **figures}
        position.top, position.worse = top, 0 if better else position.worse + 1
        position.best = row if better else position.best
        position.ending = position.ending or limits.ending(config, position)
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
            if not weight:
                raise UserError("there is nothing to validate on: no validation text has a unit")
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

    def _spread(self) -> None:
        """Spread the schedule over the steps that there will be."""
        self.position.horizon = self.horizon.steps
        self.schedule = schedule(self.config, self.horizon.steps)
        if self.config.max_minutes and self.schedule.ends:
            self.stepper.sync()
            spread_schedule(self.model.optimizer, self.config, self.horizon.steps)

    def _rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.schedule(self.position.step - 1))

    def _draw(self) -> None:
        rows = self.run.rows()
        if self.position.loss_tokens:
            rows.append(self.position.window(self._rate()))
        with writing(self.run.curves_path):
            training_curve(rows, self.run.curves_path, self.objective)
