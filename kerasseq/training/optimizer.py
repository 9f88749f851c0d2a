"""The optimizer that a training configuration asks for."""

import keras

from kerasseq.training.config import TrainingConfig
from kerasseq.training.schedules import schedule

# Windows of the moving average in a training, at least.
_SPAN = 5


def make_optimizer(config: TrainingConfig, total_steps: int) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) with all that goes with it.

    Weight decay leaves out biases and the scales and shifts of normalisations. The moving average
    reaches back over a fifth of the training at most: in a short one it would else still hold
    the weights of the beginning.

    Args:
        config: the configuration.
        total_steps: batches of the whole training, for what depends on its length.
    """
    updates = max(total_steps // config.accumulate, 1)
    momentum = min(config.ema, max(0.0, 1 - _SPAN / updates))
    options = {
        "learning_rate": schedule(config, total_steps),
        "beta_1": config.beta_1,
        "beta_2": config.beta_2,
        "epsilon": config.epsilon,
        "global_clipnorm": config.clip_norm or None,
        "gradient_accumulation_steps": config.accumulate if config.accumulate > 1 else None,
        "use_ema": bool(config.ema),
        # Keras averages at every batch, also where several make one update.
        "ema_momentum": momentum ** (1.0 / config.accumulate),
    }
    if config.optimizer == "adam":
        return keras.optimizers.Adam(**options)
    optimizer = keras.optimizers.AdamW(weight_decay=config.weight_decay, **options)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "scale"])
    return optimizer
