"""Training on what a model itself writes."""

import keras
import numpy as np
import pytest

from kerasseq import backend
from kerasseq.acoustics import LogMel
from kerasseq.decoders import RNNDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import Chain, RNNEncoder
from kerasseq.errors import UserError
from kerasseq.generation.selection import allowed_tokens
from kerasseq.models import CTC, Seq2Seq
from kerasseq.special_ids import BEGIN, PAD
from kerasseq.training.self_critical import SelfCritical

pytestmark = pytest.mark.backends

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
    model.compile(keras.optimizers.SGD(1.0), on_policy=True)
    labels = np.flatnonzero(allowed_tokens(V)[0]).astype("int32")
    tokens = np.full((len(labels), 1), BEGIN, "int32")
    x = {**features(len(labels)), "tokens": tokens}
    logits = np.asarray(backend.compile_function(model.variables, model)(x))[0, 0]
    chances = np.exp(logits[labels]) / np.exp(logits[labels]).sum()
    before = model.get_weights()
    step = backend.make_stepper(model)
    step((x, labels[:, None], -chances[:, None].astype("float32")))
    step.sync()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, atol=1e-5)


def test_each_draw_is_weighed_against_the_others_of_its_source():
    """Two sources of three draws; the reward is the length, and nothing is from a filler."""
    model = made()

    def reward(examples, rows):
        assert list(examples) == [7, 7, 7, 8, 8, 8, 9, 9, 9]
        return np.array([len(row) for row in rows], "float32")

    critic = SelfCritical(model, reward, 5, draws=3)
    real = np.array([True, True, False])
    x, labels, weights = critic(features(3), np.array([7, 8, 9]), real, (0, 0))
    assert x["tokens"].shape == (3, 3, 5) and labels.shape == weights.shape == (9, 5)
    lengths = (labels != PAD).sum(axis=1)
    for row in range(6):
        source = range(row // 3 * 3, row // 3 * 3 + 3)
        others = np.mean([lengths[other] for other in source if other != row])
        expected = np.where(labels[row] != PAD, lengths[row] - others, 0.0)
        np.testing.assert_allclose(weights[row], expected, atol=1e-6)
    assert len(set(lengths[:3].tolist())) > 1 and not weights[6:].any()


def test_several_targets_of_a_source_are_read_as_if_it_were_there_for_each():
    model = made()
    tokens = np.random.default_rng(0).integers(4, V, (2, 3, 4)).astype("int32")
    values = np.array([[4, 7, 5], [6, 6, 0]], "int32")
    x = {"values": values, "mask": values > 0}
    together = np.asarray(backend.compile_function(model.variables, model)({**x, "tokens": tokens}))
    each = {name: part.repeat(3, axis=0) for name, part in x.items()}
    each["tokens"] = tokens.reshape(6, 4)
    apart = np.asarray(backend.compile_function(model.variables, model)(each))
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_what_earns_more_is_written_more():
    """A reward that the model begins far from: texts of the token 6, and none of 4."""
    model = made()
    model.compile(keras.optimizers.Adam(0.02), on_policy=True)
    step = backend.make_stepper(model)

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
    model = CTC(Chain([LogMel(4000, 8), RNNEncoder(4)]), V)
    with pytest.raises(UserError, match="the loss of a CTC has no such part"):
        model.compile(on_policy=True)


def test_a_policy_gradient_has_no_label_smoothing():
    with pytest.raises(UserError, match="label_smoothing and on_policy do not go together"):
        made().compile(keras.optimizers.SGD(1.0), label_smoothing=0.1, on_policy=True)
