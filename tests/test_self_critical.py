"""Training on what a model itself writes."""

import keras
import numpy as np
import pytest

from kerasseq import backend
from kerasseq.decoders import RNNDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import RNNEncoder
from kerasseq.errors import UserError
from kerasseq.generation.selection import BEGIN, allowed_tokens
from kerasseq.models import CTC, Seq2Seq
from kerasseq.training.self_critical import SelfCritical

V = 9
SOURCE = np.array([[4, 7, 5]], "int32")


def made():
    keras.utils.set_random_seed(1)
    frontend = TokenEmbedding(V, 6, dropout=0.5)
    decoder = RNNDecoder(TokenEmbedding(V, 6, dropout=0.5), 8, dropout=0.5)
    return Seq2Seq(frontend, RNNEncoder(8, layers=1, dropout=0.5), decoder)


def features(rows):
    values = np.repeat(SOURCE, rows, axis=0)
    return {"values": values, "mask": np.ones(values.shape, bool)}


def test_what_earns_as_much_as_all_else_changes_nothing():
    """Sum over w of p(w) grad log p(w) = 0, with p what texts are drawn from: without dropout,
    and without the tokens that no text has."""
    model = made()
    model.compile(keras.optimizers.SGD(1.0), label_smoothing=0.1, on_policy=True)
    labels = np.flatnonzero(allowed_tokens(V)[0]).astype("int32")
    tokens = np.full((len(labels), 1), BEGIN, "int32")
    x = {**features(len(labels)), "tokens": tokens}
    logits = np.asarray(backend.compiled(model.variables, model)(x))[0, 0]
    chances = np.exp(logits[labels]) / np.exp(logits[labels]).sum()
    before = model.get_weights()
    step = backend.stepper(model, training=False)
    step((x, labels[:, None], -chances[:, None].astype("float32")))
    step.sync()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, atol=1e-5)


def test_what_earns_more_is_written_more():
    """A reward that the model begins far from: texts of the token 6, and none of 4."""
    model = made()
    model.compile(keras.optimizers.Adam(0.02), on_policy=True)
    step = backend.stepper(model, training=False)

    def reward(examples, rows):
        return np.array([row.count(6) - row.count(4) for row in rows], "float32")

    critic, means = SelfCritical(model, reward, 5), []
    real = np.ones(16, bool)
    for number in range(40):
        step.sync()
        batch = critic(features(16), range(16), real, (0, number))
        means.append(reward(None, batch[1].tolist()).mean())
        step(batch)
    assert np.mean(means[:5]) < 1.5 and np.mean(means[-5:]) > 4


def test_other_losses_have_no_policy():
    model = CTC.__new__(CTC)
    assert "on_policy" not in CTC.loss_options
    with pytest.raises(UserError, match="on_policy"):
        CTC.compile(model, on_policy=True)
