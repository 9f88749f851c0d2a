"""The optimizers: Adam and AdamW with a moving average of the weights."""

import keras

from kerasseq.training.config import TrainingConfig
from kerasseq.training.limits import count_updates
from kerasseq.training.schedules import make_schedule

# The moving average reaches back over at most this fraction (1 / 5) of the training so far.
_SPAN = 5


class _WarmAverage:
    """A mixin: the momentum of the moving average is min(ema, 1 - 5 / (n + 5)) after n updates."""

    @property
    def ema_momentum(self):
        if not getattr(self, "built", False):
            return self._ema_momentum
        steps = keras.ops.cast(self.iterations, "float32")
        return keras.ops.minimum(self._ema_momentum, steps / (steps + _SPAN))

    @ema_momentum.setter
    def ema_momentum(self, momentum):
        self._ema_momentum = momentum


# Keras makes scopes of these names, which must not begin with an underscore.
class WarmAdam(_WarmAverage, keras.optimizers.Adam):
    """Adam (Kingma and Ba, 2015) with a warm moving average."""


class WarmAdamW(_WarmAverage, keras.optimizers.AdamW):
    """AdamW (Loshchilov and Hutter, 2019) with a warm moving average."""


def make_optimizer(config: TrainingConfig, total_steps: int) -> keras.optimizers.Optimizer:
    """Returns Adam (Kingma and Ba, 2015) or AdamW (Loshchilov and Hutter, 2019) for a training.

    Weight decay leaves out biases and the scales and shifts of normalisations. The momentum of the
    moving average after n updates is

        min(ema, 1 - 5 / (n + 5)),

    so that the average reaches back over at most a fifth of the training so far. With a constant
    momentum, the first weights would stay in it for long.

    Args:
        config: the settings of the training.
        total_steps: the batches of the whole training, for schedules that end. With
            `max_minutes`, `set_schedule_length` changes this number later.
    """
    rate = make_schedule(config, total_steps)
    options = {
        "learning_rate": rate,
        "beta_1": config.beta_1,
        "beta_2": config.beta_2,
        "epsilon": config.epsilon,
        "global_clipnorm": config.clip_norm or None,
        "gradient_accumulation_steps": config.accumulate if config.accumulate > 1 else None,
        "use_ema": bool(config.ema),
        # Keras averages at every batch, even if several batches make one update.
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


def unwrap_optimizer(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Returns the optimizer itself, without a `LossScaleOptimizer` around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def set_schedule_length(
    optimizer: keras.optimizers.Optimizer, config: TrainingConfig, steps: float
) -> None:
    """Sets the steps after which the learning rate's schedule ends; only with `max_minutes`."""
    unwrap_optimizer(optimizer).schedule_length.assign(count_updates(config, steps))


def get_state_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Returns the variables that a checkpoint stores: all except the schedule's length.

    The position of the checkpoint holds that length.
    """
    length = getattr(unwrap_optimizer(optimizer), "schedule_length", None)
    return [variable for variable in optimizer.variables if variable is not length]
