"""The training loop."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from kerasseq import backend
from kerasseq.drawing.curves import draw_training_curves
from kerasseq.errors import UserError
from kerasseq.training import averaging, limits
from kerasseq.training.config import TrainingConfig
from kerasseq.training.files import explain_write_errors
from kerasseq.training.horizon import Horizon
from kerasseq.training.interrupt import Interrupted, Signals
from kerasseq.training.model_selection import ModelSelection
from kerasseq.training.objective import compile_model, describe_objective
from kerasseq.training.optimizer import set_schedule_length
from kerasseq.training.pace import Pace, describe_time
from kerasseq.training.position import Position
from kerasseq.training.prefetch import prefetch
from kerasseq.training.progress import Progress
from kerasseq.training.run import Run
from kerasseq.training.schedules import make_schedule
from kerasseq.training.tensorboard import TensorBoard
from kerasseq.training.watch import Course, Watch

# A kill loses at most the work of this time, even if the steps are slow.
_SAVE_SECONDS = 60.0


class TrainingLoop:
    """Trains a model; the arguments are those of `fit`, and `selection` compares validations."""

    def __init__(
        self,
        model: keras.Model,
        train: Any,
        valid: Sequence[Any] | None,
        config: TrainingConfig,
        run: Run,
        on_validation: Callable[[keras.Model], dict[str, float]] | None,
        selection: ModelSelection,
        silent: bool,
        watch: Watch,
        follow: Callable[[Position, float], None] | None,
    ):
        self.model, self.batches, self.valid = model, train, valid
        self.config, self.run, self.on_validation = config, run, on_validation
        self.selection, self.watch, self.follow = selection, watch, follow
        self.pending = []  # losses that are still being computed
        self.displayed = self.started = time.monotonic()
        first = train.epoch(0)
        if not len(first):
            raise UserError("there is nothing to train on: the training data make no batch")
        self.steps_per_epoch = len(first)
        self.total = total = limits.count_planned_steps(config, len(first))
        self.on_policy = getattr(train, "on_policy", False)
        compile_model(model, first, config, total, self.on_policy)
        self.objective = describe_objective(model, config, self.on_policy)
        self.stepper = backend.make_stepper(model)
        self.signals = Signals()
        self.progress, self.pace = Progress(total, 60 * config.max_minutes, silent), Pace()
        self.position = Position()
        state = run.checkpoints.restore(model)
        if state is None:
            if run.sync_log():
                raise UserError(
                    f"{run.folder}: has the log of a training but no checkpoint to go on from: "
                    "they were deleted; put them back, or train in a new folder"
                )
            self.save()  # from now on nothing depends on the model's initialization
        else:
            self.position = Position(**state)
            self.position.ending = limits.explain_ending(config, self.position)
        self.started = time.monotonic() - self.position.seconds
        run.truncate_log(self.position.log)
        self.rows = run.read_log()
        steps = 0.0 if run.changed else self.position.horizon
        self.horizon = Horizon(total, 60 * config.max_minutes, steps)
        self._update_schedule()
        if run.changed:
            rate = float(self.schedule(self.position.step))
            self.progress.say(
                f"Changed: {'; '.join(run.changed)}. The learning rate goes on at {rate:.3g}."
            )
        self.board = None
        if config.tensorboard:
            self.board = TensorBoard(run.folder / "tensorboard", self.position.step)
        self._advise()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def train(self) -> None:
        """Makes steps, validations and checkpoints until training ends."""
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
                due = position.validated == position.step
                due = due or position.step % self.config.save_every == 0
                due = due or time.monotonic() - saved_at >= _SAVE_SECONDS
                if due and saved != position.step:
                    self.save()
                    saved, saved_at = position.step, time.monotonic()
                if position.ending:
                    return
                if self.on_policy:
                    self.stepper.sync()
                began = time.monotonic()
                count, batch = next(batches)
                if self.on_policy:
                    self._note_reward()
                self.pending.append((self.stepper(batch), float(np.abs(batch[2]).sum())))
                self._advance(count)
                if self.pace.seconds is None:
                    self._time_step(batch, began)
                if self.horizon.is_due(self.seconds):
                    self._collect_losses()
                    if self.horizon.estimate(position.step, self.seconds):
                        self._update_schedule()

    def finish(self) -> Position:
        """Assigns the best weights to the model, and draws the curves."""
        if self.position.best:
            step = self.position.best["step"]
            averaging.assign_weights(self.model, self.run.checkpoints.load_weights("best", step))
        self._draw_curves()
        self._advise(over=True)
        self.progress.say(f"Training is over: {self.position.ending}.")
        if short := limits.explain_shortfall(self.config, self.position, self.steps_per_epoch):
            self.progress.say(short)
        return self.position

    def save(self) -> None:
        """Writes a checkpoint."""
        self._collect_losses()
        self.stepper.sync()
        position = self.position
        position.seconds, position.log = self.seconds, self.run.sync_log()
        needed = {"weights": position.averaged, "best": []}
        if position.best:
            needed["best"] = [position.best["step"]]
        self.run.checkpoints.save(self.model, asdict(position), needed)

    def close(self) -> None:
        """Closes the progress bar and TensorBoard's file."""
        self.progress.close()
        if self.board:
            self.board.close()

    def _batches_from(self, epoch: int, index: int) -> Iterator[tuple[int, Any]]:
        """Yields the next batches, each with the number of batches in its epoch."""
        while True:
            batches = self.batches.epoch(epoch)
            for i in range(index, len(batches)):
                yield len(batches), batches[i]
            epoch, index = epoch + 1, 0

    def _advance(self, count: int) -> None:
        """Counts a step in an epoch of `count` batches, and determines what is due."""
        config, position = self.config, self.position
        self.run.note_step()
        position.step += 1
        position.index += 1
        epoch_over = position.index >= count
        if epoch_over:
            position.epoch, position.index = position.epoch + 1, 0
        position.seconds = self.seconds
        position.ending = limits.explain_ending(config, position)
        every = config.validate_every
        position.due = bool(position.ending) or (
            position.step % every == 0 if every else epoch_over
        )
        if position.step % config.log_every == 0 or position.ending:
            self._collect_losses()
            self._log(position.make_log_row(self._compute_rate()))
            position.start_log_row()
        elif time.monotonic() - self.displayed > 0.5:
            self._collect_losses()

    def _time_step(self, batch: Any, began: float) -> None:
        """Waits for a step and times it; after a few of them, says how long training takes."""
        self._collect_losses()
        if self.pace.add(batch, time.monotonic() - began):
            length, pace = (self.total, self.steps_per_epoch), self.pace.seconds
            line = describe_time(self.config, self.position, *length, pace, self.run.resumed)
            if line and not self.position.ending:
                self.progress.say(line)
            self._advise()

    def _note_reward(self) -> None:
        """Adds the mean reward of the batch that the model has just sampled."""
        self.position.reward_sum += float(self.batches.reward())
        self.position.rewards += 1

    def _collect_losses(self) -> None:
        """Waits for the losses that are still being computed, and sums them."""
        position = self.position
        first = position.step - len(self.pending) + 1
        for step, (loss, tokens) in enumerate(self.pending, first):
            loss = float(loss)
            if not math.isfinite(loss):
                raise UserError(
                    f"the loss is {loss} at step {step}; the weights before are in "
                    f"{self.run.checkpoints.newest}. Train in a new folder with a lower "
                    "training.learning_rate, more training.warm_up or a training.clip_norm"
                )
            position.loss_sum += loss * tokens
            position.loss_tokens += tokens
            position.tokens += round(tokens)
        if self.pending:
            loss = position.loss_sum / max(position.loss_tokens, 1e-9)
            self.progress.update(position, self.seconds, loss, self._compute_rate())
        self.pending.clear()
        self.displayed = time.monotonic()

    def _advise(self, over: bool = False) -> None:
        """Says what goes wrong, each thing once, and records it in the log."""
        position, planned = self.position, self.horizon.steps
        limit = 60 * self.config.max_minutes
        if limit and self.pace.seconds:
            left = max(limit - position.seconds, 0.0) / self.pace.seconds
            planned = min(self.total, position.step + left)
        share = max(position.step / planned, position.seconds / limit if limit else 0.0)
        course = Course(self.rows, self.config, position.step, planned, share, over)
        advice = self.watch.find_advice(course)
        before = {row["about"] for row in self.rows if row["kind"] == "advice"}
        for about, text in advice.items():
            if about not in before:
                self._log({"kind": "advice", "step": position.step, "about": about, "text": text})
                self.progress.say(f"Advice  {text}")
        if over:
            self.run.advice = list(advice.values())

    def _log(self, row: dict) -> None:
        self.rows.append(row)
        self.run.append_to_log(row)
        if self.board:
            self.board.add(row)

    def _validate(self) -> None:
        """Measures the weights, or their average, and saves them if they are the best so far.

        The training after it is the same as without it. If a signal interrupts the validation, it
        has no effect at all.
        """
        self._collect_losses()
        self.stepper.sync()
        config, position, step = self.config, self.position, self.position.step
        checkpoints, averaged = self.run.checkpoints, []
        finish = bool(position.ending) and config.accumulate > 1
        optimizer = self.model.optimizer.variables if finish else []
        with averaging.preserve([*self.model.variables, *optimizer]):
            if finish:
                self.stepper.finish_window()
            if config.average_last:
                checkpoints.save_weights("weights", self.model, step)
                averaged = [*position.averaged, step][-config.average_last :]
                mean = averaging.average_checkpoints(checkpoints, averaged)
                averaging.assign_weights(self.model, mean)
            elif config.ema:
                averaging.assign_moving_average(self.model)
            results = self._measure()
            if self.signals.received:
                return
            texts = self.watch.take_texts(self.model, self.rows)
            top = self.selection.update_best(results, position.top)
            better = self.selection.is_better(results, position.best, top)
            if better:
                checkpoints.save_weights("best", self.model, step)
        position.averaged, position.validated, position.due = averaged, step, False
        row = {"step": step, "epoch": position.current_epoch, **results}
        position.top, position.worse = top, 0 if better else position.worse + 1
        position.best = row if better else position.best
        position.ending = position.ending or limits.explain_ending(config, position)
        seconds = round(self.seconds, 1)
        self._log({"kind": "valid", **row, **texts, "best": better, "seconds": seconds})
        text = "  ".join(f"{name} {value:.4g}" for name, value in results.items())
        self.progress.say(f"step {step:,}  {text}" + ("  (best)" if better else ""))
        self._advise()
        if self.follow:
            self.follow(position, self.progress.compute_share(step, self.seconds))

    def _measure(self) -> dict[str, float]:
        results = {}
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
            results = {"loss": loss / weight}
            if right:
                results["accuracy"] = right[0] / weight
        if self.on_validation is not None:
            results |= {k: float(v) for k, v in self.on_validation(self.model).items()}
        return results

    def _interrupt(self) -> None:
        self.save()
        self._draw_curves()
        raise Interrupted(
            f"Interrupted at step {self.position.step:,}, which is saved in {self.run.folder}; "
            "go on with the same command and --resume.",
            128 + self.signals.received,
        )

    def _update_schedule(self) -> None:
        """Sets the schedule's length to the estimated number of steps."""
        self.position.horizon = self.horizon.steps
        self.schedule = make_schedule(self.config, self.horizon.steps)
        if self.config.max_minutes and self.schedule.ends:
            self.stepper.sync()
            set_schedule_length(self.model.optimizer, self.config, self.horizon.steps)

    def _compute_rate(self) -> float:
        """Returns the learning rate of the last step."""
        return float(self.schedule(self.position.step - 1))

    def _draw_curves(self) -> None:
        rows = self.run.read_log()
        if self.position.loss_tokens:
            rows.append(self.position.make_log_row(self._compute_rate()))
        with explain_write_errors(self.run.curves_path):
            draw_training_curves(rows, self.run.curves_path, self.objective)
