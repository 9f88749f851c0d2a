"""Averages of weights, which often score better than the last weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np

from kerasseq import backend
from kerasseq.training.checkpoint import Checkpoints
from kerasseq.training.optimizer import unwrap_optimizer


def average_checkpoints(checkpoints: Checkpoints, steps: Sequence[int]) -> list[np.ndarray]:
    """Returns the mean of the weights saved at `steps`, in the order of `model.weights`.

    The sum is in float64 and reads one file after the other. An array that is not of a float type
    comes from the last file.
    """
    total = checkpoints.load_weights("weights", steps[0])
    types = [array.dtype for array in total]
    floats = [np.issubdtype(t, np.floating) or t.name == "bfloat16" for t in types]
    total = [a.astype("float64") if f else a for a, f in zip(total, floats, strict=True)]
    for step in steps[1:]:
        arrays = checkpoints.load_weights("weights", step)
        total = [a + b if f else b for a, b, f in zip(total, arrays, floats, strict=True)]
    return [
        (a / len(steps)).astype(t) if f else a for a, t, f in zip(total, types, floats, strict=True)
    ]


@contextmanager
def preserve(variables: Sequence[keras.Variable]) -> Iterator[None]:
    """Restores the variables and the backend's random state after the block."""
    values = [np.array(keras.ops.convert_to_numpy(v)) for v in variables]
    random = backend.get_random_state()
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        backend.set_random_state(random)


def assign_moving_average(model: keras.Model) -> None:
    """Replaces the model's weights by the exponential moving average of its optimizer."""
    unwrap_optimizer(model.optimizer).finalize_variable_values(model.trainable_variables)


def assign_weights(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Replaces the model's weights by `weights`, in the order of `model.weights`."""
    for variable, value in zip(model.weights, weights, strict=True):
        variable.assign(value)
