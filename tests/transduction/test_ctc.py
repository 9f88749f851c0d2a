"""CTC on toys small enough to enumerate every path."""

import itertools
from functools import lru_cache

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops, tree

from kerasseq import backend
from kerasseq.backend import compile_function
from kerasseq.generation import Beam, Greedy, ShallowFusion, rescore, search
from kerasseq.language_model import NGram
from kerasseq.masking import Memory
from kerasseq.transduction.ctc import align_labels, ctc_greedy_search, ctc_loss, least_frames
from kerasseq.transduction.ctc_prefix import CTCPrefix
from kerasseq.transduction.ctc_prefix_beam import ctc_prefix_beam_search
from tests.test_generation import Toy

pytestmark = pytest.mark.backends

END = 3
SMALL, STEPS, WIDTH = 4, 5, 3  # V, S and U of the loss, which knows no special id but the blank
SIZE = 7  # V of the searches: labels 4, 5 and 6
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def log_softmax(x):
    x = np.asarray(x, "float64") - np.max(x, axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def collapsed(path):
    return tuple(unit for unit, _ in itertools.groupby(path) if unit)


@lru_cache
def every_path(steps, units):
    """All paths, (P, steps), and what each collapses to."""
    paths = list(itertools.product(units, repeat=steps))
    return np.array(paths, int).reshape(len(paths), steps), [collapsed(path) for path in paths]


def path_probs(log_probs, units):
    paths, texts = every_path(len(log_probs), units)
    return paths, np.exp(log_probs[np.arange(len(log_probs)), paths].sum(axis=1)), texts


def every_text(log_probs, units):
    """p_ctc of every text that has any, in NumPy."""
    found = {}
    _, probs, texts = path_probs(np.asarray(log_probs, "float64"), units)
    for text, prob in zip(texts, probs, strict=True):
        found[text] = found.get(text, 0.0) + prob
    return found


def draw(seed, n=4, steps=STEPS, size=SMALL, least=0):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, steps, size)).astype("float32")
    mask = np.arange(steps) < rng.integers(least, steps + 1, n)[:, None]
    labels = rng.integers(1, size, (n, WIDTH)) * (np.arange(WIDTH) < rng.integers(0, 4, (n, 1)))
    return logits, mask, labels.astype("int32")


def with_gradient(logits, mask, labels):
    """The losses and the gradient of their sum by the logits."""
    if backend.name() == "torch":
        x = ops.convert_to_tensor(logits).requires_grad_()
        losses = ctc_loss(x, ops.convert_to_tensor(mask), ops.convert_to_tensor(labels))
        ops.sum(losses).backward()
        gradient = x.grad
    else:
        losses, gradient = differentiated()(*map(ops.convert_to_tensor, (logits, mask, labels)))
    return ops.convert_to_numpy(ops.stop_gradient(losses)), ops.convert_to_numpy(gradient)


@lru_cache
def differentiated(jit=False, signature=None):
    if backend.name() == "jax":
        import jax

        def both(logits, mask, labels):
            losses, pull = jax.vjp(lambda x: ctc_loss(x, mask, labels), logits)
            return losses, pull(ops.ones_like(losses))[0]

        return jax.jit(both)
    import tensorflow as tf

    @tf.function(jit_compile=jit, autograph=False, input_signature=signature)
    def both(logits, mask, labels):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            losses = ctc_loss(logits, mask, labels)
            total = tf.reduce_sum(losses)
        return losses, tape.gradient(total, logits)

    return both


def brute_force(logits, mask, labels):
    """-log p and its gradient, as sums over all paths."""
    losses, gradients = np.full(len(logits), 1e30), np.zeros(logits.shape)
    for n in range(len(logits)):
        log_probs = log_softmax(logits[n])[mask[n]]
        steps = len(log_probs)
        paths, probs, texts = path_probs(log_probs, tuple(range(SMALL)))
        text = tuple(labels[n][labels[n] > 0])
        chosen = np.array([other == text for other in texts])
        if not chosen.any():
            continue
        total = probs[chosen].sum()
        losses[n] = -np.log(total)
        units = np.eye(SMALL)[paths[chosen]]  # (P, steps, V)
        share = (units * probs[chosen, None, None]).sum(axis=0) / total
        gradients[n, :steps] = np.exp(log_probs) - share
    return losses, gradients


@few
@given(seeds)
def test_loss_and_gradient_are_sums_over_paths(seed):
    logits, mask, labels = draw(seed)
    losses, gradient = with_gradient(logits, mask, labels)
    expected, slopes = brute_force(logits, mask, labels)
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradient, slopes, atol=1e-4)


def test_an_impossible_row_is_finite_and_moves_nothing():
    logits, _, _ = draw(1, n=3)
    mask = np.arange(STEPS) < np.array([[3], [2], [5]])
    labels = np.array([[1, 1, 0], [1, 1, 0], [2, 2, 2]], "int32")
    assert ops.convert_to_numpy(least_frames(labels)).tolist() == [3, 3, 5]
    losses, gradient = with_gradient(logits, mask, labels)
    assert losses[1] == np.float32(1e30) and not gradient[1].any()
    assert (losses[[0, 2]] < 100).all() and gradient[0].any() and gradient[2].any()


def test_loss_of_padding_and_of_long_rows():
    logits, mask, labels = draw(3, least=STEPS)
    losses, gradient = with_gradient(logits, mask, labels)
    garbage = np.full((4, 3, SMALL), 50, "float32")
    padded = (
        np.concatenate([logits, garbage], axis=1),
        np.pad(mask, ((0, 0), (0, 3))),
        np.pad(labels, ((0, 0), (0, 2))),
    )
    same, slopes = with_gradient(*padded)
    np.testing.assert_allclose(same, losses, rtol=1e-5)
    np.testing.assert_allclose(slopes[:, :STEPS], gradient, atol=1e-5)
    assert not slopes[:, STEPS:].any()
    # Far below what a float32 holds outside of log space.
    logits, labels = np.zeros((1, 300, 9), "float32"), np.arange(100)[None] % 8 + 1
    losses, gradient = with_gradient(logits, np.ones((1, 300), bool), labels.astype("int32"))
    assert np.isfinite(losses).all() and losses > 300
    np.testing.assert_allclose(gradient.sum(axis=2), 0, atol=1e-4)


@pytest.mark.skipif(backend.name() != "tensorflow", reason="what TensorFlow alone can get wrong")
def test_loss_under_xla_and_with_unknown_dimensions():
    import tensorflow as tf

    inputs = draw(5)
    expected = with_gradient(*inputs)
    dtypes = (tf.float32, tf.bool, tf.int32)
    shapes = ([None, None, SMALL], [None, None], [None, None])
    unknown = tuple(tf.TensorSpec(s, d) for s, d in zip(shapes, dtypes, strict=True))
    for function in (differentiated(True), differentiated(False, unknown)):
        found = function(*map(tf.constant, inputs))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b, rtol=1e-4, atol=1e-5)


def test_a_layer_trains_under_xla():
    layer = keras.Sequential([keras.Input((STEPS, 3)), keras.layers.Dense(SMALL)])
    logits, mask, labels = draw(6, least=STEPS)
    x = {"values": logits[:, :, :3], "mask": mask}

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.layer = layer
            self.built = True

        def call(self, x, training=False):
            return Memory(self.layer(x["values"]), x["mask"])

        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            return ops.mean(ctc_loss(y_pred.values, y_pred.mask, y))

    model = Model()
    model.compile(keras.optimizers.Adam(0.1), jit_compile=backend.name() != "torch")
    step = backend.make_stepper(model)
    losses = [float(step((x, labels, np.ones((4, 1), "float32")))) for _ in range(5)]
    assert losses[-1] < losses[0]


@few
@given(seeds)
def test_greedy_collapses_the_best_path(seed):
    logits, mask, _ = draw(seed, steps=9, size=SIZE)
    best = ctc_greedy_search(ops.convert_to_tensor(logits), ops.convert_to_tensor(mask))
    best = tree.map_structure(ops.convert_to_numpy, best)
    log_probs = log_softmax(logits)
    log_probs[:, :, 1:4] = -np.inf
    for n, real in enumerate(mask):
        path = log_probs[n, real].argmax(axis=1)
        gains = log_probs[n, real].max(axis=1)
        begins = [t for t, u in enumerate(path) if u and (t == 0 or path[t - 1] != u)]
        count = len(begins)
        assert tuple(best.tokens[n, :count]) == collapsed(path)
        assert not best.tokens[n, count:].any() and not best.log_probs[n, count:].any()
        assert best.frames[n, :count].tolist() == begins
        np.testing.assert_allclose(best.log_probs[n, :count], gains[begins], atol=1e-5)
        np.testing.assert_allclose(best.score[n], gains.sum(), rtol=1e-5, atol=1e-5)


@few
@given(seeds)
def test_alignment_is_the_best_path_that_spells_the_labels(seed):
    logits, mask, labels = draw(seed)
    found = align_labels(log_softmax(logits), mask, labels)
    for n in range(len(logits)):
        log_probs = log_softmax(logits[n])[mask[n]]
        paths, probs, texts = path_probs(log_probs, tuple(range(SMALL)))
        text = tuple(labels[n][labels[n] > 0])
        probs = np.where([other == text for other in texts], probs, -1)
        used = len(text)
        if probs.max() < 0:
            assert (found.first[n] == -1).all() and (found.log_probs[n, :used] == -np.inf).all()
            continue
        path = paths[probs.argmax()]
        runs = [
            [t for t, _ in group]
            for unit, group in itertools.groupby(enumerate(path), lambda pair: pair[1])
            if unit
        ]
        assert found.first[n].tolist() == [run[0] for run in runs] + [-1] * (WIDTH - used)
        assert found.last[n].tolist() == [run[-1] for run in runs] + [-1] * (WIDTH - used)
        means = [log_probs[run, unit].mean() for run, unit in zip(runs, text, strict=True)]
        np.testing.assert_allclose(found.log_probs[n], means + [0] * (WIDTH - used))


def searched(seed, n=2, steps=4):
    """Log-probabilities in which END is never a label, and the mask."""
    logits, mask, _ = draw(seed, n, steps, SIZE, least=2)
    logits[:, :, END] = -1e9
    return log_softmax(logits).astype("float32"), mask


def texts_of(log_probs):
    """p_ctc of the texts that hold no special id."""
    return every_text(log_probs, (0, 4, 5, 6))


def spoken(order=2):
    rng = np.random.default_rng(7)
    return NGram.learn([rng.integers(4, SIZE, rng.integers(1, 6)) for _ in range(40)], SIZE, order)


@few
@given(seeds, st.sampled_from([(0.0, 0.0), (0.7, 0.3), (0.0, 1.0)]))
def test_a_wide_prefix_beam_finds_every_text_and_its_score(seed, weights):
    log_probs = searched(seed)[0][0]
    model, (lm_weight, length_bonus) = spoken(), weights
    found = ctc_prefix_beam_search(log_probs, 2000, model, lm_weight, length_bonus)
    expected = {
        text: np.log(prob) + lm_weight * model.score(text) + length_bonus * len(text)
        for text, prob in texts_of(log_probs).items()
    }
    assert len(found) == len(expected)
    for tokens, score in found:
        assert score == pytest.approx(expected[tuple(tokens)], abs=1e-4)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_what_a_narrow_prefix_beam_leaves_out_as_hopeless_is_hopeless(seed):
    """Scores and places in the beam are those of a search that looks at every label."""
    log_probs = log_softmax(3 * draw(seed, 1, 12, 30)[0][0])
    for model, weight in ((None, 0.0), (NGram(30), 0.5)):
        if model is not None:
            rng = np.random.default_rng(seed)
            model = NGram.learn([rng.integers(4, 30, 8) for _ in range(20)], 30, 3)
        found = ctc_prefix_beam_search(log_probs, 4, model, weight, 0.1)
        slow = slow_prefix_beam(log_probs, 4, model, weight, 0.1)
        assert [tuple(tokens) for tokens, _ in found] == [tokens for tokens, _ in slow]
        np.testing.assert_allclose([s for _, s in found], [s for _, s in slow], atol=1e-6)


def slow_prefix_beam(log_probs, width, model, weight, bonus):
    """The textbook's, on dictionaries."""

    def extra(text, end=False):
        if model is None:
            return bonus * len(text)
        state, total = model.start(), 0.0
        for token in (*text, END) if end else text:
            total += model.log_probs(np.array([state]))[0, token]
            state = int(model.advance(np.array([state]), np.array([token]))[0])
        return weight * total + bonus * len(text)

    beam = {(): (0.0, -np.inf)}
    for frame in log_probs:
        grown = {}
        for text, (blank, label) in beam.items():
            total = np.logaddexp(blank, label)
            moves = [(text, total + frame[0], -np.inf)]
            if text:
                moves.append((text, -np.inf, label + frame[text[-1]]))
            for unit in range(4, len(frame)):
                before = blank if text and text[-1] == unit else total
                moves.append(((*text, unit), -np.inf, before + frame[unit]))
            for longer, b, u in moves:
                old = grown.get(longer, (-np.inf, -np.inf))
                grown[longer] = np.logaddexp(old[0], b), np.logaddexp(old[1], u)
        ranked = sorted(grown, key=lambda t: np.logaddexp(*grown[t]) + extra(t), reverse=True)
        beam = {text: grown[text] for text in ranked[:width]}
    found = [(text, np.logaddexp(*beam[text]) + extra(text, True)) for text in beam]
    return sorted(found, key=lambda pair: -pair[1])


def test_frames_that_are_certain_to_be_blank_change_little():
    log_probs = searched(3)[0][0]
    blank = np.log(np.full((40, SIZE), 4e-5 / (SIZE - 1)))
    blank[:, 0] = np.log(1 - 4e-5)
    found = ctc_prefix_beam_search(np.concatenate([log_probs[:2], blank, log_probs[2:]]), 50)
    exact = slow_prefix_beam(np.concatenate([log_probs[:2], blank, log_probs[2:]]), 50, None, 0, 0)
    for (tokens, score), (expected, right) in zip(found[:3], exact[:3], strict=True):
        assert tuple(tokens) == expected
        assert score == pytest.approx(right, abs=0.01)


@lru_cache
def scorer(decoder):
    return compile_function([], lambda memory, tokens: rescore(decoder, memory, tokens), jit=False)


def scores_of(decoder, memory, texts):
    """log p of texts for one source, with their ends."""
    width = max(map(len, texts)) + 1
    tokens = np.array([[*text, END] + [0] * (width - len(text) - 1) for text in texts], "int32")
    memory = tree.map_structure(lambda x: np.repeat(x, len(texts), axis=0), memory)
    arguments = tree.map_structure(ops.convert_to_tensor, (memory, tokens))
    return ops.convert_to_numpy(scorer(decoder)(*arguments))


def row(memory, n):
    return tree.map_structure(lambda x: x[n : n + 1], memory)


PREFIX = CTCPrefix(SIZE)
TEXTS = [text for length in range(5) for text in itertools.product((4, 5, 6), repeat=length)]


@few
@given(seeds)
def test_the_steps_of_a_text_multiply_to_its_ctc_probability(seed):
    log_probs, mask = searched(seed, n=1)
    found = scores_of(PREFIX, Memory(log_probs, mask), TEXTS)
    width = max(map(len, TEXTS))
    labels = np.array([[*text] + [0] * (width - len(text)) for text in TEXTS], "int32")
    repeated = [np.repeat(array, len(TEXTS), axis=0) for array in (log_probs, mask)]
    losses, _ = with_gradient(*repeated, labels)
    possible = losses < 1e29
    np.testing.assert_allclose(found[possible], -losses[possible], rtol=1e-4, atol=1e-4)
    assert (found[~possible] < -1000).all()
    exact = texts_of(log_probs[0][mask[0]])
    assert possible.sum() == len(exact)


def test_each_step_is_the_share_of_texts_that_begin_so():
    log_probs, mask = searched(11, n=1)
    exact = every_text(log_probs[0][mask[0]], (0, 1, 2, 4, 5, 6))
    text = (4, 5)
    static, state = PREFIX.begin(Memory(log_probs, mask), 5)
    for position, token in enumerate((2, *text)):
        prefix = text[:position]
        gains, state = PREFIX.step(ops.convert_to_tensor([token]), position, static, state)
        whole = sum(p for t, p in exact.items() if t[:position] == prefix)
        for unit in (1, 4, 5, 6):
            part = sum(p for t, p in exact.items() if t[: position + 1] == (*prefix, unit))
            assert float(gains[0, unit]) == pytest.approx(np.log(part / whole), abs=1e-4)
        assert float(gains[0, END]) == pytest.approx(np.log(exact[prefix] / whole), abs=1e-4)
        np.testing.assert_allclose(np.exp(ops.convert_to_numpy(gains)).sum(), 1, atol=1e-5)


def test_long_rows_of_confident_frames_keep_their_digits():
    rng = np.random.default_rng(5)
    logits = 12 * rng.normal(size=(1, 400, SIZE)).astype("float32")
    logits[:, :, 1:4] = -60
    log_probs, mask = log_softmax(logits).astype("float32"), np.ones((1, 400), bool)
    text = list(ctc_prefix_beam_search(log_probs[0], 5)[0][0])
    expected = -with_gradient(log_probs, mask, np.array([text], "int32"))[0]
    found = scores_of(PREFIX, Memory(log_probs, mask), [tuple(text)])
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_source_padding_changes_no_step():
    log_probs, mask = searched(2, n=2)
    memory = Memory(log_probs, mask)
    garbage = np.full((2, 5, SIZE), -0.1, "float32")
    padded = Memory(np.concatenate([log_probs, garbage], 1), np.pad(mask, ((0, 0), (0, 5))))
    for n in range(2):
        a, b = (scores_of(PREFIX, row(some, n), TEXTS[:13]) for some in (memory, padded))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@lru_cache
def searcher(decoder, strategy, length):
    return compile_function([], lambda memory: search(decoder, memory, strategy, length), jit=False)


def found_by(decoder, memory, strategy, length=6):
    results = searcher(decoder, strategy, length)(tree.map_structure(ops.convert_to_tensor, memory))
    return tuple(map(ops.convert_to_numpy, results[:2]))


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_an_exhaustive_beam_over_ctc_finds_the_best_text(seed):
    log_probs, mask = searched(seed)
    tokens, scores = found_by(PREFIX, Memory(log_probs, mask), Beam(60, 0.0))
    for n in range(2):
        exact = texts_of(log_probs[n][mask[n]])
        best = max(exact, key=exact.get)
        found = tokens[n, 0]
        assert exact[tuple(found[found > END])] == pytest.approx(exact[best], rel=1e-3)
        assert scores[n, 0] == pytest.approx(np.log(exact[best]), abs=1e-3)


ATTENTION, SPOKEN = Toy(SIZE), spoken()
FUSION = ShallowFusion([ATTENTION, PREFIX, SPOKEN], [0.6, 0.4, 0.5])


def fused(seed):
    log_probs, mask = searched(seed)
    values = np.random.default_rng(seed).normal(size=(2, 4, 6)).astype("float32")
    attended = Memory(values * mask[:, :, None], mask)
    return [attended, Memory(log_probs, mask), attended]


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_an_exhaustive_beam_over_a_fusion_finds_the_best_sum(seed):
    memory = fused(seed)
    tokens, scores = found_by(FUSION, memory, Beam(60, 0.0))
    for n in range(2):
        sums = sum(
            weight * scores_of(member, row(some, n), TEXTS)
            for member, some, weight in zip(FUSION.decoders, memory, FUSION.weights, strict=True)
        )
        found = tokens[n, 0]
        assert sums[TEXTS.index(tuple(found[found > END]))] == pytest.approx(sums.max(), abs=1e-3)
        assert scores[n, 0] == pytest.approx(sums.max(), abs=1e-3)
        np.testing.assert_allclose(
            scores_of(FUSION, row(memory, n), TEXTS[:13]), sums[:13], rtol=1e-4, atol=1e-3
        )


def test_a_member_of_weight_0_has_no_say():
    memory = fused(4)
    alone = found_by(ATTENTION, memory[0], Greedy())
    both = found_by(ShallowFusion([ATTENTION, SPOKEN], [1.0, 0.0]), memory[::2], Greedy())
    for a, b in zip(alone, both, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("weights", [[0.5, 0.2, 0.2], [1.5, -0.2, 0.3], [0.5, 0.5]])
def test_weights_that_cannot_be(weights):
    with pytest.raises(ValueError, match="weights"):
        ShallowFusion([ATTENTION, PREFIX, SPOKEN], weights)
