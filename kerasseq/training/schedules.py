"""Learning rate schedules: a linear warm-up, then one of four decays."""

import math

import keras
from keras import ops

from kerasseq.serialization import register
from kerasseq.training.config import TrainingConfig
from kerasseq.training.limits import count_updates


class WarmUpSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly over `warm_up` updates and then follows `decay`.

        rate(t) = peak t / warm_up   if t < warm_up,
                  peak decay(t)      otherwise,       t = 1, 2, ...

    Args:
        peak: the highest rate.
        warm_up: the updates until the peak, or a share of `total` if it is below 1; 0 for no
            warm-up.
        total: the updates of the whole training; a number or a variable.
        accumulate: the optimizer steps in one update.

    Attributes:
        ends: whether the rate depends on `total`.
    """

    ends = False

    def __init__(self, peak: float, warm_up: float = 0, total: float = 0, accumulate: int = 1):
        super().__init__()
        self.peak, self.warm_up, self.total, self.accumulate = peak, warm_up, total, accumulate
        self.ends = self.ends or 0 < warm_up < 1

    def __call__(self, step):
        # Keras counts each batch as a step, even if several batches make one update.
        update = ops.cast(ops.floor_divide(ops.cast(step, "int32"), self.accumulate), "float32") + 1
        factor = self.decay(update)
        if self.warm_up:
            start = self._start()
            factor = ops.where(update < start, update / start, factor)
        return self.peak * factor

    def decay(self, update):
        """Returns the factor of the peak, at most 1, at `update` = 1, 2, ... after the warm-up."""
        raise NotImplementedError

    def get_config(self):
        names = ("peak", "warm_up", "accumulate")
        return {**{name: getattr(self, name) for name in names}, "total": float(self.total)}

    def _start(self):
        """Returns the update at which the decay begins."""
        if self.warm_up >= 1:
            return float(self.warm_up)
        return ops.maximum(self.warm_up * ops.cast(self.total, "float32"), 1.0)

    def _progress(self, update):
        """Returns 0 at the peak, 1 one update after the last, so that the last rate is not 0."""
        start = self._start()
        length = ops.maximum(ops.cast(self.total, "float32") + 1 - start, 1.0)
        return ops.clip((update - start) / length, 0.0, 1.0)


@register()
class Constant(WarmUpSchedule):
    """The constant rate: decay(t) = 1."""

    def decay(self, update):
        return ops.ones_like(update)


@register()
class InverseSquareRoot(WarmUpSchedule):
    """decay(t) = sqrt(warm_up / t).

    Vaswani et al., 2017, equation 3, with peak = (width * warm_up)^-0.5.
    """

    def decay(self, update):
        start = self._start()
        return ops.sqrt(start / ops.maximum(update, start))


@register()
class CosineSchedule(WarmUpSchedule):
    """Half a cosine from the peak to 0 (Loshchilov and Hutter, 2017, SGDR, equation 5)."""

    ends = True

    def decay(self, update):
        return 0.5 * (1.0 + ops.cos(math.pi * self._progress(update)))


@register()
class Linear(WarmUpSchedule):
    """A straight line from the peak to 0."""

    ends = True

    def decay(self, update):
        return 1.0 - self._progress(update)


def make_schedule(config: TrainingConfig, total_steps: float) -> WarmUpSchedule:
    """Returns the learning rate schedule of a training of `total_steps` batches."""
    schedules = {
        "constant": Constant,
        "inverse_sqrt": InverseSquareRoot,
        "cosine": CosineSchedule,
        "linear": Linear,
    }
    updates = count_updates(config, total_steps)
    return schedules[config.schedule](
        config.learning_rate, config.warm_up, updates, config.accumulate
    )
