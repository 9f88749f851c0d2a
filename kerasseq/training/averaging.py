"""Averages of weights, which validate and translate better than the last weights alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np

from kerasseq import backend
from kerasseq.training.checkpoint import Checkpoints
from kerasseq.training.optimizer import innermost


def mean_of(checkpoints: Checkpoints, steps: Sequence[int]) -> list[np.ndarray]:
    """The mean of the weights that were saved at `steps`, in the order of `model.weights`.

    Summed in float64, one file after the other. What is not of a float type is the last one's.
    """
    total = checkpoints.weights("weights", steps[0])
    types = [array.dtype for array in total]
    floats = [np.issubdtype(t, np.floating) or t.name == "bfloat16" for t in types]
    total = [a.astype("float64") if f else a for a, f in zip(total, floats, strict=True)]
    for step in steps[1:]:
        more = checkpoints.weights("weights", step)
        total = [a + b if f else b for a, b, f in zip(total, more, floats, strict=True)]
    return [
        (a / len(steps)).astype(t) if f else a for a, t, f in zip(total, types, floats, strict=True)
    ]


@contextmanager
def kept(variables: Sequence[keras.Variable]) -> Iterator[None]:
    """After the block the variables and the backend's random state are as before it."""
    own = [np.array(keras.ops.convert_to_numpy(v)) for v in variables]
    random = backend.random_state()
    try:
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)
        backend.set_random_state(random)


def put_moving_average(model: keras.Model) -> None:
    """Give the model the exponential moving average that its optimizer keeps."""
    innermost(model.optimizer).finalize_variable_values(model.trainable_variables)


def put(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Give the model these weights, in the order of `model.weights`."""
    for variable, value in zip(model.weights, weights, strict=True):
        variable.assign(value)
