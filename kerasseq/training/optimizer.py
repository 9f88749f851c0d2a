"""The optimizer that a training configuration asks for."""

import keras

from kerasseq.training.config import TrainingConfig
from kerasseq.training.schedules import schedule, updates

# Windows of the moving average in the training so far, at least.
_SPAN = 5


class _WarmAverage:
    """An optimizer whose moving average begins with a low momentum."""

    @property
    def ema_momentum(self):
        if not getattr(self, "built", False):
            return self._ema_momentum
        steps = keras.ops.cast(self.iterations, "float32")
        return keras.ops.minimum(self._ema_momentum, steps / (steps + _SPAN))

    @ema_momentum.setter
    def ema_momentum(self, momentum):
        self._ema_momentum = momentum


# Their names are scopes in Keras, which must not begin with an underscore.
class WarmAdam(_WarmAverage, keras.optimizers.Adam):
    """Adam with such an average."""


class WarmAdamW(_WarmAverage, keras.optimizers.AdamW):
    """AdamW with such an average."""


def make_optimizer(config: TrainingConfig, total_steps: int) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) with all that goes with it.

    Weight decay leaves out biases and the scales and shifts of normalisations. The moving average
    reaches back over a fifth of the training so far at most: its momentum after n updates is
    min(ema, 1 - 5 / (n + 5)). Else it would hold the weights of the beginning for long.

    Args:
        config: the configuration.
        total_steps: batches of the whole training, for the schedules that end. With `max_minutes`
            `spread_schedule` changes them.
    """
    rate = schedule(config, total_steps)
    options = {
        "learning_rate": rate,
        "beta_1": config.beta_1,
        "beta_2": config.beta_2,
        "epsilon": config.epsilon,
        "global_clipnorm": config.clip_norm or None,
        "gradient_accumulation_steps": config.accumulate if config.accumulate > 1 else None,
        "use_ema": bool(config.ema),
        # Keras averages at every batch, also where several make one update.
        "ema_momentum": config.ema ** (1.0 / config.accumulate),
    }
    if config.optimizer == "adam":
        optimizer = WarmAdam(**options)
    else:
        optimizer = WarmAdamW(weight_decay=config.weight_decay, **options)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "scale"])
    if config.max_minutes and rate.ends:
        length = keras.initializers.Constant(rate.total)
        rate.total = optimizer.add_variable((), length, "float32", name="schedule_length")
        optimizer.schedule_length = rate.total
    return optimizer


def innermost(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer that updates, without what scales the loss around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def spread_schedule(
    optimizer: keras.optimizers.Optimizer, config: TrainingConfig, steps: float
) -> None:
    """Let the learning rate's schedule end after `steps` steps; for `max_minutes` alone."""
    innermost(optimizer).schedule_length.assign(updates(config, steps))


def state_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """What a checkpoint keeps of an optimizer; the schedule's length is in the position."""
    length = getattr(innermost(optimizer), "schedule_length", None)
    return [variable for variable in optimizer.variables if variable is not length]
