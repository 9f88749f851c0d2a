"""The n-gram model: its probabilities, its steps on both sides, and its file."""

import subprocess
import sys
from collections import Counter

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from kerasseq.errors import UserError
from kerasseq.generation import rescore
from kerasseq.language_model import NGram, ngram
from kerasseq.masking import Memory

pytestmark = pytest.mark.backends

PAD, UNKNOWN, BEGIN, END = range(4)
SIZE = 9
few = settings(max_examples=15, deadline=None)


def drawn(seed, rows=30):
    """Sequences with some structure: a token often goes on to the next."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        row = [int(rng.integers(4, SIZE - 1))]
        while rng.random() < 0.8:
            here = 4 + (row[-1] - 3) % (SIZE - 5)
            row.append(here if rng.random() < 0.6 else int(rng.integers(4, SIZE - 1)))
        found.append(row)
    return found


def reference(rows, order):
    """Chen and Goodman's equations, straight on dictionaries: p(token, context)."""
    counts = [Counter() for _ in range(order + 1)]
    for row in rows:
        row = (BEGIN, *row, END)
        for end in range(1, len(row) + 1):
            for n in range(1, min(order, end) + 1):
                counts[n][row[end - n : end]] += 1
    adjusted = [Counter(), *(Counter() for _ in range(order))]
    for n in range(1, order + 1):
        before = Counter(gram[1:] for gram in counts[n + 1]) if n < order else None
        for gram, count in counts[n].items():
            whole = n == order or gram[0] == BEGIN
            adjusted[n][gram] = count if whole else before[gram]
    del adjusted[1][(BEGIN,)]

    def discount(n, count):
        n1, n2, n3, n4 = (sum(c == i for c in adjusted[n].values()) for i in (1, 2, 3, 4))
        found = [0, 0.5, 1, 1.5]
        if min(n1, n2, n3, n4) > 0:
            y = n1 / (n1 + 2 * n2)
            better = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
            found = better if min(better[1:]) > 0 else found
        return found[min(count, 3)]

    def p(token, context):
        context = context[max(0, len(context) - order + 1) :]
        n = len(context) + 1
        lower = p(token, context[1:]) if context else 1 / (SIZE - 2)
        after = {g: c for g, c in adjusted[n].items() if g[:-1] == context}
        total = sum(after.values())
        if not total:
            return lower
        gram = (*context, token)
        share = after.get(gram, 0) - discount(n, after.get(gram, 0))
        return (share + sum(discount(n, c) for c in after.values()) * lower) / total

    return p


@few
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_probabilities_are_the_equations(seed, order):
    rows = drawn(seed)
    model, p = NGram.learn(rows, SIZE, order), reference(rows, order)
    rng = np.random.default_rng(seed)
    for row in (rows[0], rng.integers(4, SIZE, 6).tolist(), []):
        history, state, total = (BEGIN,), model.start(), 0.0
        for token in (*row, END):
            found = np.exp(model.log_probs(np.array([state]))[0])
            exact = [0 if t in (PAD, BEGIN) else p(t, history) for t in range(SIZE)]
            np.testing.assert_allclose(found, exact, rtol=1e-9)
            state = int(model.advance(np.array([state]), np.array([token]))[0])
            history, total = (*history, token), total + np.log(exact[token])
        assert model.score(row) == pytest.approx(total)


@few
@given(st.integers(0, 10**6), st.integers(1, 5), st.sampled_from([1, 3, 40]))
def test_every_context_has_one_distribution(seed, order, rows):
    model = NGram.learn(drawn(seed, rows), SIZE, order)
    probs = np.exp(model.log_probs(np.arange(model.contexts)))
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    assert (probs[:, [PAD, BEGIN]] == 0).all()
    others = np.delete(probs, [PAD, BEGIN], axis=1)
    assert (others > 0).all()  # those that it never saw, UNKNOWN and the last, too


def test_it_learns_and_ends_do_not_matter():
    rows = drawn(1, 400)
    models = [NGram.learn(rows, SIZE, order) for order in (1, 2, 3)]
    perplexities = [model.perplexity(drawn(2, 100)) for model in models]
    assert perplexities[1] < 0.8 * perplexities[0] and perplexities[2] < 1.1 * perplexities[1]
    ended = NGram.learn([np.array([*row, END, PAD, PAD]) for row in rows], SIZE, 2)
    assert ended.score(rows[0]) == models[1].score([*rows[0], END])
    scores = [models[1].score(row) for row in rows[:5]]
    length = sum(len(row) + 1 for row in rows[:5])
    assert models[1].perplexity(rows[:5]) == pytest.approx(np.exp(-sum(scores) / length))


@few
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_steps_on_the_device_are_those_in_numpy(seed, order):
    model = NGram.learn(drawn(seed), SIZE, order)
    rng = np.random.default_rng(seed)
    constants = model.constants()
    static, state = model.expand(*model.begin(np.zeros((2, 1)), 8, constants), 3)
    tokens, contexts = np.full(6, BEGIN), np.zeros(6, np.int64)
    for position in range(5):
        logits, state = model.step(ops.convert_to_tensor(tokens), position, static, state)
        contexts = model.advance(contexts, tokens)
        expected = model.log_probs(contexts)
        np.testing.assert_allclose(ops.convert_to_numpy(logits), expected, rtol=1e-5)
        parents = rng.integers(0, 6, 6).astype("int32")
        state = model.reorder(state, ops.convert_to_tensor(parents))
        contexts, tokens = contexts[parents], rng.integers(4, SIZE, 6)


def test_rescoring_is_the_score():
    rows = drawn(5)
    model = NGram.learn(rows, SIZE, 3)
    length = max(map(len, rows)) + 1
    tokens = np.array([[*row, END] + [PAD] * (length - len(row) - 1) for row in rows], "int32")
    memory = Memory(np.zeros((len(rows), 2, 1), "float32"), np.ones((len(rows), 2), bool))
    found = ops.convert_to_numpy(rescore(model, memory, ops.convert_to_tensor(tokens)))
    np.testing.assert_allclose(found, [model.score(row) for row in rows], rtol=1e-5)


@keras.saving.register_keras_serializable("kerasseq_tests")
class Speaker(keras.Model):
    """The least model that holds a language model."""

    def __init__(self, language_model, **kwargs):
        super().__init__(**kwargs)
        self.language_model = language_model
        self.head = keras.layers.Dense(2)

    def build(self, shape):
        self.head.build(shape)

    def call(self, inputs):
        return self.head(inputs)

    def get_config(self):
        return {"language_model": keras.saving.serialize_keras_object(self.language_model)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["language_model"]))


def test_it_is_saved_in_a_model(tmp_path):
    model = Speaker(NGram.learn(drawn(1), SIZE, 3))
    model.build((1, 3))
    model.compile("sgd", "mse")
    model.fit(np.zeros((2, 3)), np.zeros((2, 2)), verbose=0)  # it is a part like others
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").language_model
    contexts = np.arange(loaded.contexts)
    expected = model.language_model.log_probs(contexts)
    np.testing.assert_array_equal(loaded.log_probs(contexts), expected)
    assert (loaded.order, loaded.vocabulary_size, loaded.weights) == (3, SIZE, [])


def test_a_fresh_process_knows_the_class(tmp_path):
    model = NGram.learn(drawn(1), SIZE, 3)
    config = keras.saving.serialize_keras_object(model)
    code = f"import kerasseq, keras; print(keras.saving.deserialize_keras_object({config!r}).order)"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert out.stdout.split()[-1] == "3"


def test_what_it_refuses(monkeypatch):
    with pytest.raises(UserError, match="no n-grams"):
        NGram(SIZE).score([4])
    with pytest.raises(UserError, match="no sequences"):
        NGram.learn([], SIZE)
    with pytest.raises(UserError, match="not in the vocabulary"):
        NGram.learn([[4, SIZE]], SIZE)
    with pytest.raises(UserError, match="order"):
        NGram(SIZE, 0)
    model = NGram.learn(drawn(1), SIZE, 3)
    monkeypatch.setattr(ngram, "_MOST_ENTRIES", 20)
    with pytest.raises(UserError, match="lower order than 3"):
        model.constants()
