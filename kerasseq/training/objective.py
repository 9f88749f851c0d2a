"""What a model is trained for, and with which optimizer."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasseq.training.config import TrainingConfig
from kerasseq.training.optimizer import make_optimizer


def losses(config: TrainingConfig) -> dict[str, float]:
    """What `compile` of a model is told of its loss."""
    names = ("label_smoothing", "r_drop", "doubly_stochastic")
    return {name: getattr(config, name) for name in names}


def prepare(
    model: keras.Model,
    batches: Sequence[Any],
    config: TrainingConfig,
    steps: int,
    on_policy: bool,
) -> None:
    """Build and compile a model for a training of so many steps.

    Raises:
        ValueError: the model was built for another precision than the configuration's.
    """
    if model.dtype_policy.name != config.precision:
        raise ValueError(
            f"the model computes in {model.dtype_policy.name}, but training.precision is "
            f"{config.precision}: call keras.config.set_dtype_policy before it is built"
        )
    if not model.built:
        model(batches[0][0])
    model.compile(
        optimizer=make_optimizer(config, steps),
        **losses(config),
        **({"on_policy": True} if on_policy else {}),
    )
    model.optimizer.build(model.trainable_variables)


def objective(model: keras.Model, config: TrainingConfig, on_policy: bool) -> list[str]:
    """What makes the training loss another figure than the loss of the validation."""
    if on_policy:
        return ["weighted by rewards"]
    parts = {
        "label smoothing": config.label_smoothing,
        "R-Drop": config.r_drop,
        "doubly stochastic attention": config.doubly_stochastic,
        "CTC": getattr(model, "ctc_weight", 0.0),
    }
    return [f"{name} {weight:g}" for name, weight in parts.items() if weight]
