"""Learning rates: a linear warm-up, then one of four courses."""

import math

import keras
from keras import ops

from kerasseq.training.config import TrainingConfig


class Warmed(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises evenly over `warm_up` updates and then follows `course`.

        rate(t) = peak * min(t / warm_up, course(t)),  t = 1, 2, ...

    Args:
        peak: the highest rate.
        warm_up: updates until it is reached; 0 for none.
        total: updates of the whole training, for the courses that end; a number or a variable.
        accumulate: optimizer steps to one update.

    Attributes:
        ends: whether the course depends on `total`.
    """

    ends = False

    def __init__(self, peak: float, warm_up: int = 0, total: float = 0, accumulate: int = 1):
        super().__init__()
        self.peak, self.warm_up, self.total, self.accumulate = peak, warm_up, total, accumulate

    def __call__(self, step):
        # Keras counts each batch as a step, also where several make one update.
        update = ops.cast(ops.floor_divide(ops.cast(step, "int32"), self.accumulate), "float32") + 1
        course = self.course(update)
        if self.warm_up:
            course = ops.where(update < self.warm_up, update / self.warm_up, course)
        return self.peak * course

    def course(self, update):
        """The part of the peak, at most 1, at `update` = 1, 2, ... once the warm-up is over."""
        raise NotImplementedError

    def get_config(self):
        names = ("peak", "warm_up", "accumulate")
        return {**{name: getattr(self, name) for name in names}, "total": float(self.total)}

    def _progress(self, update):
        """0 at the peak, 1 at the update after the last one, so that the last one has a rate."""
        start = max(self.warm_up, 1)
        length = ops.maximum(ops.cast(self.total, "float32") + 1 - start, 1.0)
        return ops.clip((update - start) / length, 0.0, 1.0)


@keras.saving.register_keras_serializable("kerasseq")
class Constant(Warmed):
    """The peak, for ever."""

    def course(self, update):
        return ops.ones_like(update)


@keras.saving.register_keras_serializable("kerasseq")
class InverseSquareRoot(Warmed):
    """sqrt(warm_up / t): Vaswani et al. 2017, equation 3, where peak = (width * warm_up)^-0.5."""

    def course(self, update):
        start = float(max(self.warm_up, 1))
        return ops.sqrt(start / ops.maximum(update, start))


@keras.saving.register_keras_serializable("kerasseq", "CosineSchedule")  # Cosine is a score
class Cosine(Warmed):
    """Half a cosine from the peak to 0: Loshchilov and Hutter 2017 (SGDR), equation 5."""

    ends = True

    def course(self, update):
        return 0.5 * (1.0 + ops.cos(math.pi * self._progress(update)))


@keras.saving.register_keras_serializable("kerasseq")
class Linear(Warmed):
    """A straight line from the peak to 0."""

    ends = True

    def course(self, update):
        return 1.0 - self._progress(update)


def updates(config: TrainingConfig, steps: float) -> int:
    """The updates that so many steps make; the last one may have fewer steps."""
    return math.ceil(steps / config.accumulate)


def schedule(config: TrainingConfig, total_steps: float) -> Warmed:
    """The learning rate that the configuration asks for; `total_steps` counts batches."""
    courses = {
        "constant": Constant,
        "inverse_sqrt": InverseSquareRoot,
        "cosine": Cosine,
        "linear": Linear,
    }
    return courses[config.schedule](
        config.learning_rate, config.warm_up, updates(config, total_steps), config.accumulate
    )
