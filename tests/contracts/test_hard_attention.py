"""Attention to one step of the source, drawn in training."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import backend
from kerasseq.attention import StepAttention
from kerasseq.masking import Memory
from kerasseq.models import Seq2Seq
from tests.contracts.zoo import DECODERS, VOCABULARY, built_encoder, embedding
from tests.thorough import thorough

pytestmark = pytest.mark.backends


def test_it_draws_from_the_softmax_in_training_and_takes_the_best_in_use():
    steps = 4000
    values = np.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [9.0, 9.0]]], "float32")
    mask = np.array([[True, True, True, False]])
    memory = Memory(ops.convert_to_tensor(values), ops.convert_to_tensor(mask))
    queries = ops.convert_to_tensor(np.tile(np.float32([0.3, 1.2]), (1, steps, 1)))

    def weights(alignment, draws):
        keras.utils.set_random_seed(1)
        attention = StepAttention("dot", alignment)
        attention.build((None, None, 2), (None, None, 2))
        state = attention.initial_state(memory, draws)
        return ops.convert_to_numpy(
            attention.attend(queries, attention.precompute(memory), state)[1]
        )[0]

    soft, drawn = weights("global", 0), weights("hard", steps)
    assert set(np.unique(drawn.round(5))) == {0.0, 1.0} and not drawn[:, 3].any()
    np.testing.assert_allclose(drawn.mean(axis=0), soft[0], atol=0.03)
    assert (weights("hard", 0) == [0.0, 0.0, 1.0, 0.0]).all()


@thorough
def test_a_model_learns_to_look():
    """The target is the token behind the marker, wherever that is."""
    keras.utils.set_random_seed(3)
    decoder = DECODERS["rnn-additive-hard-before"]()
    model = Seq2Seq(embedding(), built_encoder("rnn-gru-bidirectional"), decoder)
    model.compile(keras.optimizers.Adam(0.02))
    step = backend.make_stepper(model)
    rng = np.random.default_rng(0)

    def batch(n):
        source = rng.integers(5, VOCABULARY, (n, 6)).astype("int32")
        place = rng.integers(0, 5, n)
        source[np.arange(n), place] = 4
        target = source[np.arange(n), place + 1][:, None]
        x = {"values": source, "mask": np.ones(source.shape, bool)}
        return ({**x, "tokens": np.full((n, 1), 2, "int32")}, target, np.ones((n, 1), "float32"))

    for _ in range(200):
        step(batch(32))
    step.sync()
    x, target, _ = batch(64)
    logits = np.asarray(backend.compile_function(model.variables, model)(x))
    assert (logits[:, 0].argmax(axis=-1) == target[:, 0]).mean() > 0.7
