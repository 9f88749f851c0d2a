"""The learning rate from the first update to the last."""

import keras
import numpy as np
import pytest

from kerasseq.errors import UserError
from kerasseq.training import TrainingConfig
from kerasseq.training.schedules import make_schedule


@pytest.mark.parametrize(
    "name, course",
    [
        ("constant", lambda t: min(t / 10, 1)),
        ("inverse_sqrt", lambda t: min(t / 10, (10 / t) ** 0.5)),
        ("cosine", lambda t: min(t / 10, (1 + np.cos(np.pi * max(t - 10, 0) / 41)) / 2)),
        ("linear", lambda t: min(t / 10, (51 - t) / 41)),
    ],
)
def test_schedules(name, course):
    config = TrainingConfig(schedule=name, learning_rate=0.5, warm_up=10, accumulate=2)
    rate = make_schedule(config, total_steps=100)
    mine = [float(rate(step)) for step in range(100)]
    wanted = [0.5 * course(step // 2 + 1) for step in range(100)]
    np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-7)
    copy = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(rate))
    assert float(copy(77)) == mine[77]


@pytest.mark.parametrize("name", ["constant", "inverse_sqrt", "cosine", "linear"])
def test_a_warm_up_below_1_is_a_share_of_the_training(name):
    some = {"schedule": name, "accumulate": 2}
    share = make_schedule(TrainingConfig(warm_up=0.2, **some), total_steps=100)
    whole = make_schedule(TrainingConfig(warm_up=10, **some), total_steps=100)
    assert share.ends and whole.ends == (name in ("cosine", "linear"))
    rates = [[float(rate(step)) for step in range(100)] for rate in (share, whole)]
    np.testing.assert_allclose(*rates, rtol=1e-5)
    share.total = 20  # a time limit ends the training earlier
    assert float(share(7)) == pytest.approx(1e-3)
    with pytest.raises(UserError, match="warm_up must be a share of the training below 1, or a wh"):
        TrainingConfig(warm_up=1.5)


def test_the_inverse_square_root_is_that_of_the_transformer():
    width, warm_up = 512, 4000
    config = TrainingConfig(
        schedule="inverse_sqrt", learning_rate=(width * warm_up) ** -0.5, warm_up=warm_up
    )
    rate = make_schedule(config, total_steps=10**5)
    for step in (1, 100, 4000, 50_000):
        wanted = width**-0.5 * min(step**-0.5, step * warm_up**-1.5)
        np.testing.assert_allclose(float(rate(step - 1)), wanted, rtol=1e-5)


def test_without_warm_up_the_peak_comes_first():
    for name in ("constant", "inverse_sqrt", "cosine", "linear"):
        rate = make_schedule(TrainingConfig(schedule=name), total_steps=1000)
        assert float(rate(0)) == pytest.approx(1e-3, rel=2e-3)
