"""The time that a training takes, from a few timed steps."""

from typing import Any

from keras import tree

from kerasseq.training.config import TrainingConfig
from kerasseq.training.position import Position

# The timed steps, and the seconds after which fewer are enough.
_STEPS, _SECONDS = 6, 20.0


class Pace:
    """Times the first steps of a process.

    The first step with each shape of batch includes compilation and does not count.

    Attributes:
        seconds: the mean number of seconds of a step; None while steps are being timed.
    """

    def __init__(self):
        self.seconds: float | None = None
        self._shapes: set[tuple] = set()
        self._times: list[float] = []
        self._total = 0.0

    def add(self, batch: Any, seconds: float) -> bool:
        """Counts a step, and returns whether it is the last that is timed."""
        self._total += seconds
        shape = tuple(tuple(array.shape) for array in tree.flatten(batch))
        if shape in self._shapes:
            self._times.append(seconds)
        self._shapes.add(shape)
        enough = len(self._times) >= (_STEPS if self._total < _SECONDS else 1)
        if enough:
            self.seconds = sum(self._times) / len(self._times)
        return enough


def describe_time(
    config: TrainingConfig,
    position: Position,
    total: int,
    steps_per_epoch: int,
    pace: float,
    resumed: bool = False,
) -> str:
    """Returns a line on how long a training takes.

    Args:
        config: the settings of the training.
        position: the present position.
        total: the steps of the whole training without a time limit.
        steps_per_epoch: the steps of an epoch.
        pace: the seconds of a step.
        resumed: whether this continues a run.
    """
    left = total - position.step
    if left <= 0:
        return ""
    steps = f"the {left:,} steps left" if resumed else f"{total:,} steps"
    text = f"Time    {steps} in about {describe_seconds(left * pace)} ({_describe_pace(pace)})"
    limit = 60 * config.max_minutes
    if limit and left * pace > limit - position.seconds:
        done = position.step + max(0, round((limit - position.seconds) / pace))
        text = (
            f"Time    training.max_minutes = {config.max_minutes:g} reaches about {done:,} of "
            f"{total:,} steps, {done / steps_per_epoch:.3g} of {total / steps_per_epoch:.3g} "
            f"epochs ({_describe_pace(pace)})"
        )
    else:
        epochs = (left if resumed else total) / steps_per_epoch
        text += f", {epochs:.3g} epoch{'s' if epochs != 1 else ''}"
    every = f"every {config.validate_every:,} steps" if config.validate_every else "each epoch"
    text += f"; validation {'' if config.validate_every else 'after '}{every}, which takes more"
    if config.patience:
        text += f"; it ends earlier after {config.patience} validations without a better one"
    return text + "."


def describe_seconds(seconds: float) -> str:
    """Returns a duration in words.

    Example:

    >>> from kerasseq.training.pace import describe_seconds
    >>> describe_seconds(42), describe_seconds(720), describe_seconds(9000)
    ('42 seconds', '12 minutes', '2.5 hours')
    """
    for size, name in ((3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 1.5 * size:
            count = seconds / size
            return f"{count:.1f} {name}" if count < 9.95 else f"{count:,.0f} {name}"
    return f"{max(seconds, 1):.0f} second{'s' if seconds >= 1.5 else ''}"


def _describe_pace(pace: float) -> str:
    return f"{pace:.2g} s a step" if pace < 100 else f"{pace:.0f} s a step"
