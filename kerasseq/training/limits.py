"""The length of a training, and the reasons why it ends."""

import math

from kerasseq.errors import UserError
from kerasseq.training.config import TrainingConfig
from kerasseq.training.position import Position


def count_planned_steps(config: TrainingConfig, steps_per_epoch: int) -> int:
    """Returns the number of steps that `epochs` and `max_steps` allow.

    Raises:
        UserError: these are fewer steps than one update needs.
    """
    steps = steps_per_epoch * config.epochs
    steps = min(steps, config.max_steps) if config.max_steps else steps
    if config.accumulate > steps:
        raise UserError(
            f"training.accumulate is {config.accumulate} steps to an update, but the training has "
            f"only {steps}: lower training.accumulate or raise training.epochs"
        )
    return steps


def count_updates(config: TrainingConfig, steps: float) -> int:
    """Returns the number of updates in `steps` steps; the last update may have fewer steps."""
    return math.ceil(steps / config.accumulate)


def count_warm_up(config: TrainingConfig, updates: int) -> int:
    """Returns the updates of the warm-up in a training of `updates` updates."""
    return math.ceil(config.warm_up * updates if config.warm_up < 1 else config.warm_up)


def warn_of_long_warm_up(config: TrainingConfig, steps: int, over: bool = False) -> str:
    """Returns a warning if the warm-up takes more than half of `steps` steps, or "".

    Args:
        over: whether the training has ended after these steps.
    """
    updates = count_updates(config, steps)
    warm_up = count_warm_up(config, updates)
    if 2 * warm_up <= updates or not updates:
        return ""
    verb = "were" if over else "are"
    course = f"through most of the training, {warm_up:,} of {updates:,} updates"
    if warm_up >= updates:
        reached = 100 * updates / warm_up
        course = (
            f"through the whole training, to {reached:.3g}% of training.learning_rate: "
            f"training.warm_up is {warm_up:,} updates, and there {verb} {updates:,}"
        )
    return (
        f"The learning rate {'rose' if over else 'rises'} {course}; set training.warm_up to "
        f"{max(updates // 10, 1):,} or train longer."
    )


def explain_ending(config: TrainingConfig, position: Position) -> str:
    """Returns the reason why training ends at a position, or "" if it does not end."""
    if config.max_steps and position.step >= config.max_steps:
        return f"training.max_steps is {config.max_steps}"
    if position.epoch >= config.epochs:
        return f"training.epochs is {config.epochs}"
    if config.max_minutes and position.seconds >= 60 * config.max_minutes:
        return f"training.max_minutes is {config.max_minutes:g}"
    if config.patience and position.worse >= config.patience:
        return f"{position.worse} validations without a better one"
    return ""


def explain_shortfall(config: TrainingConfig, position: Position, steps_per_epoch: int) -> str:
    """Returns a note if a limit of steps or minutes ends training before `epochs`, or ""."""
    name = position.ending.partition(" ")[0].removeprefix("training.")
    if name not in ("max_steps", "max_minutes") or position.epoch >= config.epochs:
        return ""
    done = position.epoch + position.index / steps_per_epoch
    slower = " A slower machine does less in this time, and its model is worse."
    return (
        f"It was cut short after {done:.3g} of {config.epochs} epochs. Go on with the same command "
        f"and --resume --set training.{name}={2 * getattr(config, name):g}."
    ) + slower * (name == "max_minutes")
