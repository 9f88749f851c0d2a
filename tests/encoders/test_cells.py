"""Recurrent cells."""

import keras
import numpy as np
import pytest

from kerasseq.recurrent import make_cell

pytestmark = pytest.mark.backends


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_weights_follow_from_the_seed_of_when_the_cell_is_made(kind):
    """A run with a seed ends with the same weights, whatever is built in between."""
    weights = []
    for other in (2, 3):
        keras.utils.set_random_seed(1)
        cell = make_cell(kind, 4)
        keras.utils.set_random_seed(other)
        cell.build((None, None, 3))
        weights.append(cell.get_weights())
    for one, two in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, two)
