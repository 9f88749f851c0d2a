"""The compilation of a model for a training."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasseq.training.config import TrainingConfig
from kerasseq.training.optimizer import make_optimizer


def get_loss_options(config: TrainingConfig) -> dict[str, float]:
    """Returns the options of the loss, as arguments of a model's `compile`."""
    names = ("label_smoothing", "r_drop", "doubly_stochastic")
    return {name: getattr(config, name) for name in names}


def compile_model(
    model: keras.Model,
    batches: Sequence[Any],
    config: TrainingConfig,
    steps: int,
    on_policy: bool,
) -> None:
    """Builds and compiles a model for a training of `steps` steps.

    Args:
        model: the model.
        batches: batches as of `fit`; the first one builds the model, if it is not built yet.
        config: the settings of the training.
        steps: the steps of the whole training.
        on_policy: whether the model makes its own targets; see `fit`.

    Raises:
        ValueError: the model's precision is not that of the configuration.
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
        **get_loss_options(config),
        **({"on_policy": True} if on_policy else {}),
    )
    model.optimizer.build(model.trainable_variables)


def describe_objective(model: keras.Model, config: TrainingConfig, on_policy: bool) -> list[str]:
    """Returns the terms of the training loss that the validation loss does not have."""
    if on_policy:
        return ["weighted by rewards"]
    parts = {
        "label smoothing": config.label_smoothing,
        "R-Drop": config.r_drop,
        "doubly stochastic attention": config.doubly_stochastic,
        "CTC": getattr(model, "ctc_weight", 0.0),
    }
    return [f"{name} {weight:g}" for name, weight in parts.items() if weight]
