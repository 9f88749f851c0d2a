import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from kerasseq import backend, losses
from kerasseq.transduction.ctc import ctc_consistency

pytestmark = pytest.mark.backends


def draw(seed, n=3, t=4, v=7):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, t, v)).astype("float32") * 3
    return logits, rng.integers(0, v, (n, t)), rng.integers(0, 3, (n, t)).astype("float32")


def log_softmax(x):
    x = x.astype("float64")
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def smoothed(logits, labels, weights, e):
    v = logits.shape[-1]
    target = (1 - e) * np.eye(v)[labels] + e / v
    values = -(target * log_softmax(logits)).sum(-1)
    return (values * weights).sum() / weights.sum()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1, 0.5]))
def test_cross_entropy_is_its_definition(seed, e):
    logits, labels, weights = draw(seed)
    value = ops.convert_to_numpy(losses.cross_entropy(logits, labels, weights, e))
    np.testing.assert_allclose(value, smoothed(logits, labels, weights, e), rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1]), st.sampled_from([0.0, 1.0, 5.0]))
def test_r_drop_is_its_definition(seed, e, alpha):
    first, labels, weights = draw(seed)
    second, _, _ = draw(seed + 5000)
    log_p, log_q = log_softmax(first), log_softmax(second)
    both = (np.exp(log_p) * (log_p - log_q)).sum(-1) + (np.exp(log_q) * (log_q - log_p)).sum(-1)
    wanted = smoothed(first, labels, weights, e) + smoothed(second, labels, weights, e)
    wanted = wanted / 2 + alpha / 4 * (both * weights).sum() / weights.sum()
    value = losses.r_drop(first, second, labels, weights, e, alpha)
    np.testing.assert_allclose(ops.convert_to_numpy(value), wanted, rtol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_consistency_is_its_definition(seed):
    first, second = draw(seed)[0], draw(seed + 5000)[0]
    mask = np.arange(4) < np.array([4, 2, 1])[:, None]
    log_p, log_q = log_softmax(first), log_softmax(second)
    both = ((np.exp(log_p) - np.exp(log_q)) * (log_p - log_q)).sum(-1)
    value = ops.convert_to_numpy(ctc_consistency(first, second, mask))
    np.testing.assert_allclose(value, 0.5 * (both * mask).sum(1), rtol=1e-4, atol=1e-5)


def test_consistency_draws_each_pass_to_where_the_other_is():
    # With p, q = softmax of two variables, the gradient is (p - q) / 2 and (q - p) / 2: that of
    # the targets does not count.
    first, second, mask = draw(3)[0], draw(4)[0], np.ones((3, 4), bool)

    class Both(keras.Model):
        def __init__(self):
            super().__init__()
            self.passes = [
                self.add_weight(shape=x.shape, initializer=lambda shape, dtype, x=x: x)
                for x in (first, second)
            ]
            self.built = True

        def call(self, x, training=False):
            return x

        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            return ops.sum(ctc_consistency(*self.passes, mask))

    model = Both()
    model.compile(keras.optimizers.SGD(1.0))
    train = backend.make_stepper(model)
    train((np.zeros(1), np.zeros(1), np.ones(1)))
    train.sync()
    p, q = np.exp(log_softmax(first)), np.exp(log_softmax(second))
    one, other = map(ops.convert_to_numpy, model.passes)
    np.testing.assert_allclose(first - one, (p - q) / 2, atol=1e-5)
    np.testing.assert_allclose(second - other, (q - p) / 2, atol=1e-5)


def test_padding_has_no_say():
    logits, labels, _ = draw(1)
    weights = np.ones((3, 4), "float32")
    padded = np.concatenate([logits, np.full((3, 2, 7), 1e4, "float32")], axis=1)
    more = [np.concatenate([a, np.zeros((3, 2), a.dtype)], axis=1) for a in (labels, weights)]
    value = losses.cross_entropy(logits, labels, weights, 0.1)
    same = losses.cross_entropy(padded, *more, 0.1)
    np.testing.assert_allclose(ops.convert_to_numpy(same), ops.convert_to_numpy(value), rtol=1e-6)
    assert float(losses.cross_entropy(logits, labels, 0 * weights, 0.1)) == 0.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_summed_in_float32(dtype):
    logits, labels, weights = draw(2)
    half = ops.cast(logits, dtype)
    value = losses.cross_entropy(half, labels, weights, 0.1)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    exact = smoothed(ops.convert_to_numpy(ops.cast(half, "float32")), labels, weights, 0.1)
    np.testing.assert_allclose(float(value), exact, rtol=1e-5)


def test_evaluation_sums_add_up_over_batches():
    logits, labels, weights = draw(3)
    whole = [float(x) for x in losses.evaluation_sums(logits, labels, weights)]
    parts = [
        [float(x) for x in losses.evaluation_sums(logits[i : i + 1], labels[i : i + 1], w)]
        for i, w in enumerate(weights[:, None])
    ]
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, rtol=1e-5)
    assert whole[1] == weights.sum()
    assert whole[2] == (weights * (logits.argmax(-1) == labels)).sum()
    np.testing.assert_allclose(whole[0] / whole[1], smoothed(logits, labels, weights, 0), rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_doubly_stochastic_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    attention = rng.dirichlet(np.ones(5), (3, 4)).astype("float32")
    mask = np.arange(5) < np.array([5, 3, 1])[:, None]
    weights = (np.arange(4) < np.array([4, 2, 0])[:, None]).astype("float32")
    wanted = 0.0
    for n in range(2):  # the last row only fills the batch
        for s in range(mask[n].sum()):
            wanted += (1 - attention[n, weights[n] > 0, s].sum()) ** 2
    value = losses.doubly_stochastic(attention, mask, weights)
    np.testing.assert_allclose(ops.convert_to_numpy(value), wanted / weights.sum(), rtol=1e-5)


def test_cross_entropy_with_advantages_pushes_towards_what_earned_more():
    logits, labels, _ = draw(1)
    weights = np.array([[1.0] * 4, [-0.5] * 4, [0.0] * 4], "float32")
    gains = np.take_along_axis(log_softmax(logits), labels[..., None], -1)[..., 0]
    wanted = -(gains * weights).sum() / np.abs(weights).sum()
    value = ops.convert_to_numpy(losses.cross_entropy(logits, labels, weights))
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
