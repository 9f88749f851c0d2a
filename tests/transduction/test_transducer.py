"""The transducer: its loss against a sum over all paths, and its searches against plain ones."""

import itertools
from functools import partial

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops, tree

from kerasseq import backend
from kerasseq.attention import StepAttention
from kerasseq.decoders import RNNDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.errors import UserError
from kerasseq.language_model import NGram
from kerasseq.masking import Memory
from kerasseq.precision import dtype_policy_scope
from kerasseq.transduction.joiner import Joiner
from kerasseq.transduction.transducer import transducer_lattice, transducer_loss
from kerasseq.transduction.transducer_beam import transducer_beam_search
from kerasseq.transduction.transducer_search import transducer_greedy_search
from tests import toy  # noqa: F401  (JAX keeps what it has compiled)

pytestmark = pytest.mark.backends

VOCABULARY, WIDTH, UNITS, JOINT = 7, 5, 6, 8
LABELS = (4, 5, 6)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def run(layers, fn, *args, jit=False):
    """fn(*args), compiled as models compile their searches."""
    function = backend.compile_function([v for layer in layers for v in layer.variables], fn, jit)
    result = function(*tree.map_structure(ops.convert_to_tensor, args))
    return tree.map_structure(array, result)


def gradients(fn, values, layers=()):
    """fn(*values), and the gradients of its sum: to the values, and to the layers' weights."""
    weights = [v for layer in layers for v in layer.trainable_variables]
    name = keras.backend.backend()
    if name == "jax":
        import jax

        def total(values, weights_now):
            mapping = list(zip(weights, weights_now, strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                result = fn(*values)
            return ops.sum(result), result

        values = [ops.convert_to_tensor(v) for v in values]
        now = [w.value for w in weights]
        (_, result), found = jax.jit(jax.value_and_grad(total, argnums=(0, 1), has_aux=True))(
            values, now
        )
        return array(result), [array(g) for g in tree.flatten(found)]
    if name == "torch":
        import torch

        values = [torch.tensor(v, requires_grad=True) for v in values]
        result = fn(*values)
        found = torch.autograd.grad(result.sum(), values + [w.value for w in weights])
        return array(result), [array(g) for g in found]
    import tensorflow as tf

    return tensorflow_gradients(tf, fn, values, weights)


def tensorflow_gradients(tf, fn, values, weights, **options):
    def run(*values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = fn(*values)
        return result, tape.gradient(result, [*values, *(w.value for w in weights)])

    run = tf.function(run, autograph=False, **options)
    result, found = run(*(tf.constant(v) for v in values))
    return array(result), [array(tf.convert_to_tensor(g)) for g in found]


def every_path(blank, label, frames, labels):
    """Minus log of the sum over all paths of one row, and its gradients."""
    paths, shares = [], []
    for written in itertools.combinations(range(frames + labels - 1), labels):
        t = u = 0
        total, ways = 0.0, np.zeros((2, *blank.shape))
        for i in range(frames + labels):
            if i in written:
                total, ways[1, t, u], u = total + label[t, u], 1, u + 1
            else:
                total, ways[0, t, u], t = total + blank[t, u], 1, t + 1
        paths.append(total)
        shares.append(ways)
    log_p = np.logaddexp.reduce(paths)
    posterior = np.tensordot(np.exp(np.array(paths) - log_p), np.array(shares), 1)
    return -log_p, -posterior[0], -posterior[1][:, :-1]


def log_probabilities(random, *shape):
    return np.log(random.uniform(0.01, 1, shape)).astype("float32")


@settings(max_examples=4, deadline=None)
@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 100))
def test_the_loss_and_its_gradient_are_sums_over_all_paths(steps, most, seed):
    lengths = list(itertools.product(range(1, steps + 1), range(most + 1)))
    frames, labels = map(np.array, zip(*lengths, strict=True))
    random, n = np.random.default_rng(seed), len(lengths)
    blank = log_probabilities(random, n, steps, most + 1)
    label = log_probabilities(random, n, steps, most)
    loss, found = gradients(lambda b, x: transducer_loss(b, x, frames, labels), [blank, label])
    for row, (t, u) in enumerate(lengths):
        wanted = every_path(blank[row], label[row], t, u)
        np.testing.assert_allclose(loss[row], wanted[0], rtol=1e-5, atol=1e-5)
        for gradient, expected in zip(found, wanted[1:], strict=True):
            np.testing.assert_allclose(gradient[row], expected, atol=1e-5)


def test_what_is_nearly_impossible_keeps_the_gradient_finite():
    blank, label = np.full((2, 6, 5), -3000.0, "float32"), np.full((2, 6, 4), -1e30, "float32")
    label[0] = 0.0
    loss, found = gradients(lambda b, x: transducer_loss(b, x, [6, 1], [4, 4]), [blank, label])
    np.testing.assert_allclose(loss[0], 18000 - np.log(126), rtol=1e-6)
    assert all(np.isfinite(gradient).all() for gradient in found)


def parts(attention=False, seed=3):
    """A prediction network and a joiner that write something."""
    keras.utils.set_random_seed(seed)
    embedding = TokenEmbedding(VOCABULARY, WIDTH, initializer="random_normal")
    options = {"attention": StepAttention("additive")} if attention else {"context": "none"}
    decoder = RNNDecoder(embedding, UNITS, projection=False, **options)
    decoder.build((None, None, WIDTH))
    joiner = Joiner(VOCABULARY, JOINT)
    joiner.build((None, None, WIDTH), (None, None, decoder.feature_width))
    random = np.random.default_rng(seed)
    for layer in (decoder, joiner):
        for weight in layer.trainable_variables:
            weight.assign(random.normal(size=weight.shape))
    return decoder, joiner


def drawn_memory(lengths, steps, garbage=0.0, seed=0):
    values = np.random.default_rng(seed).normal(size=(len(lengths), 12, WIDTH))[:, :steps]
    mask = np.arange(steps) < np.array(lengths)[:, None]
    values = np.where(mask[:, :, None], values, garbage).astype("float32")
    return Memory(ops.convert_to_tensor(values), ops.convert_to_tensor(mask))


def full_lattice(joiner, encoded, predicted, targets):
    """Log-probabilities of blank and labels by one softmax over everything."""
    encoded, predicted = joiner.project_encoded(encoded), joiner.project_predicted(predicted)
    logs = ops.log_softmax(joiner(encoded[:, :, None], predicted[:, None]))
    chosen = ops.one_hot(ops.convert_to_tensor(targets), VOCABULARY)
    return logs[..., 0], ops.sum(logs[:, :, :-1] * chosen[:, None], axis=-1)


def inputs(n=3, steps=5, labels=3, seed=1):
    random = np.random.default_rng(seed)
    encoded = random.normal(size=(n, steps, WIDTH)).astype("float32")
    predicted = random.normal(size=(n, labels + 1, UNITS)).astype("float32")
    return encoded, predicted, random.integers(1, VOCABULARY, (n, labels)).astype("int32")


@pytest.mark.parametrize("chunk", [2, 8])
def test_the_lattice_in_chunks_is_the_lattice(chunk):
    _, joiner = parts()
    encoded, predicted, targets = inputs()
    factor = np.random.default_rng(5).normal(size=(2, 3, 5, 4)).astype("float32")
    factor = ops.convert_to_tensor(factor)

    def of(make):
        def weighted(encoded, predicted):
            blank, label = make(joiner, encoded, predicted, targets)
            return ops.sum(blank * factor[0], (1, 2)) + ops.sum(label * factor[1, ..., 1:], (1, 2))

        return gradients(weighted, [encoded, predicted], [joiner])

    wanted = of(full_lattice)
    found = of(lambda *args: transducer_lattice(*args, chunk=chunk))
    for a, b in zip(tree.flatten(found), tree.flatten(wanted), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_a_lattice_without_labels():
    _, joiner = parts()
    encoded, predicted, targets = inputs(labels=0)

    def losses(encoded, predicted):
        blank, label = transducer_lattice(joiner, encoded, predicted, targets)
        return blank, label, transducer_loss(blank, label, [5, 3, 1], [0, 0, 0])

    blank, label, loss = run([joiner], losses, encoded, predicted)
    assert label.shape == (3, 5, 0)
    rows = zip(blank[:, :, 0], (5, 3, 1), strict=True)
    np.testing.assert_allclose(loss, [-row[:n].sum() for row, n in rows], rtol=1e-5)


def test_mixed_precision_sums_in_float32():
    exact = parts()
    with dtype_policy_scope("mixed_float16"):
        halved = parts()
    encoded, predicted, targets = inputs()
    memory = drawn_memory([5, 3], 5)

    def both(decoder, joiner):
        def compute(encoded, predicted, *memory):
            found, _ = transducer_greedy_search(decoder, joiner, Memory(*memory), 4)
            best = transducer_beam_search(decoder, joiner, Memory(*memory), 2, 1, 4)
            return transducer_lattice(joiner, encoded, predicted, targets), found.score, best.score

        return run([decoder, joiner], compute, encoded, predicted, *memory)

    for found, wanted in zip(tree.flatten(both(*halved)), tree.flatten(both(*exact)), strict=True):
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, wanted, atol=0.3)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's compilers")
def test_a_training_step_on_tensorflow_as_a_graph_of_any_shape_and_under_xla():
    import tensorflow as tf

    decoder, joiner = parts()
    encoded, _, labels = inputs()
    tokens = np.concatenate([np.full((3, 1), 2, "int32"), labels], axis=1)
    weights = [*decoder.trainable_variables, *joiner.trainable_variables]

    def loss(encoded):
        mask = ops.ones(ops.shape(encoded)[:2], dtype="bool")
        predicted = decoder.features(tokens, Memory(encoded, mask), training=True)
        return transducer_loss(
            *transducer_lattice(joiner, encoded, predicted, labels), [5, 2, 1], [3, 1, 0]
        )

    wanted = tensorflow_gradients(tf, loss, [encoded], weights)
    any_shape = [tf.TensorSpec([None, None, None])]
    for options in ({"input_signature": any_shape}, {"jit_compile": True}):
        found = tensorflow_gradients(tf, loss, [encoded], weights, **options)
        for a, b in zip(tree.flatten(found), tree.flatten(wanted), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-4)


@pytest.mark.parametrize("attention", [False, True])
def test_features_step_by_step_are_those_of_all_steps(attention):
    decoder, _ = parts(attention)
    memory = drawn_memory([5, 2], 5)
    tokens = ops.convert_to_tensor(np.array([[2, 4, 5], [2, 6, 6]], "int32"))

    def both(tokens, *memory):
        static, state = decoder.begin(Memory(*memory), 3)
        steps = []
        for i in range(3):
            features, state = decoder.step_features(tokens[:, i], 0, static, state)
            steps.append(features)
        return decoder.features(tokens, Memory(*memory)), ops.stack(steps, axis=1)

    np.testing.assert_allclose(*run([decoder], both, tokens, *memory), atol=1e-5)
    again = RNNDecoder.from_config(decoder.get_config())
    again.build((None, None, WIDTH))
    assert [w.shape for w in again.weights] == [w.shape for w in decoder.weights]
    assert hasattr(decoder, "bridge") == attention and not hasattr(decoder, "output_projection")


def places_of(decoder, joiner):
    """A compiled function: a memory and tokens (N, U) to log-probabilities (N, U, T, V)."""

    def places(values, mask, tokens):
        predicted = joiner.project_predicted(decoder.features(tokens, Memory(values, mask)))
        return ops.log_softmax(
            joiner(joiner.project_encoded(values)[:, None], predicted[:, :, None])
        )

    return backend.compile_function([*decoder.variables, *joiner.variables], places)


class Plain:
    """One row of a transducer, in NumPy, place by place."""

    def __init__(self, places, memory, row, length=3):
        self.frames = int(array(memory.mask)[row].sum())
        self.places, self.length = places, length
        self.memory = [ops.convert_to_tensor(array(leaf)[row : row + 1]) for leaf in memory]
        self.known = {}

    def logs(self, labels):
        """(T, V) log-probabilities behind the labels."""
        if labels not in self.known:
            tokens = np.zeros((1, self.length + 1), "int32")
            tokens[0, : len(labels) + 1] = 2, *labels
            logs = array(self.places(*self.memory, ops.convert_to_tensor(tokens)))
            logs = logs[0, :, : self.frames].astype("float64")
            self.known |= {labels[:u]: logs[u] for u in range(len(labels) + 1)}
        return self.known[labels]

    def greedy(self, max_symbols):
        labels, frames, gains, score = (), [], [], 0.0
        for t in range(self.frames):
            for _ in range(max_symbols):
                logs = self.logs(labels)[t]
                best = max(LABELS, key=lambda k: logs[k])
                if logs[best] <= logs[0]:
                    break
                labels, score = (*labels, best), score + logs[best]
                frames.append(t)
                gains.append(logs[best])
            score += self.logs(labels)[t, 0]
        return labels, score, frames, gains

    def log_p(self, labels):
        logs = [self.logs(labels[:u]) for u in range(len(labels) + 1)]
        blank = np.stack([x[:, 0] for x in logs], axis=1)
        label = [x[:, k] for x, k in zip(logs, labels, strict=False)]
        label = np.stack(label, axis=1) if labels else np.zeros((self.frames, 0))
        return -every_path(blank, label, self.frames, len(labels))[0]


@pytest.mark.parametrize("attention, max_symbols", [(False, 1), (False, 3), (True, 2)])
def test_greedy_search_is_the_plain_loop(attention, max_symbols):
    decoder, joiner = parts(attention)
    joiner.output_projection.bias.assign([0.0, 9.0, 9.0, 9.0, 1.0, 0.0, 0.5])
    places = places_of(decoder, joiner)
    memory = drawn_memory([12, 7, 1, 0], 12, garbage=9.0)

    def search(*memory, **options):
        return transducer_greedy_search(
            decoder, joiner, Memory(*memory), max_symbols=max_symbols, **options
        )[0]

    found = run((decoder, joiner), search, *memory)
    lengths = []
    for row in range(3):
        labels, score, *more = Plain(places, memory, row, 36).greedy(max_symbols)
        lengths.append(len(labels))
        assert [int(x) for x in found[0][row] if x] == list(labels)
        np.testing.assert_allclose(found[1][row], score, atol=1e-4)
        for leaf, wanted in zip(found[2:], more, strict=True):
            np.testing.assert_allclose(leaf[row, : len(labels)], wanted, atol=1e-5)
            assert not leaf[row, len(labels) :].any()
    assert max(lengths) >= 3
    counts = [np.bincount(found[2][row, :n]).max(initial=0) for row, n in enumerate(lengths)]
    assert max(counts) == max_symbols  # the bound is met
    assert not found[0][3].any() and found[1][3] == 0
    if max_symbols == 1:
        few = run((decoder, joiner), partial(search, max_length=2), *memory)
        np.testing.assert_array_equal(few.tokens, found[0][:, :2])


def test_greedy_search_of_a_stream_is_that_of_the_whole():
    decoder, joiner = parts()
    memory = drawn_memory([12, 12], 12)

    def whole_and_parts(*memory):
        found, begun = [transducer_greedy_search(decoder, joiner, Memory(*memory))[0]], None
        for some in (slice(0, 5), slice(5, 12)):
            chunk = Memory(*(leaf[:, some] for leaf in memory))
            part, begun = transducer_greedy_search(decoder, joiner, chunk, begun=begun)
            found.append(part)
        return found

    whole, *chunks = run((decoder, joiner), whole_and_parts, *memory)
    np.testing.assert_allclose(sum(part.score for part in chunks), whole.score, atol=1e-4)
    tokens = np.concatenate([part.tokens for part in chunks], axis=1)
    for row, wanted in zip(tokens, whole.tokens, strict=True):
        assert row[row != 0].tolist() == wanted[wanted != 0].tolist()


def plain_beam(plain, width, length):
    """Alignment-length synchronous decoding, in dictionaries."""
    live, done = {(): 0.0}, {}
    for i in range(plain.frames + length):
        after = {}
        for y, score in live.items():
            logs, last = plain.logs(y)[i - len(y)], i - len(y) == plain.frames - 1
            into = done if last else after
            into[y] = np.logaddexp(into.get(y, -np.inf), score + logs[0])
            for k in LABELS if len(y) < length else ():
                longer = (*y, k)
                after[longer] = np.logaddexp(after.get(longer, -np.inf), score + logs[k])
        live = dict(sorted(after.items(), key=lambda item: -item[1])[:width])
    return sorted(done.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("width", [1, 3])
def test_a_narrow_beam_is_the_plain_one(width):
    decoder, joiner = parts()
    joiner.output_projection.bias.assign([2.0, 9.0, 9.0, 9.0, 1.0, 0.0, 0.5])
    places, memory = places_of(decoder, joiner), drawn_memory([12, 9, 5], 12)
    found = run(
        (decoder, joiner),
        lambda *memory: transducer_beam_search(decoder, joiner, Memory(*memory), width, width, 6),
        *memory,
    )
    for row in range(3):
        wanted = plain_beam(Plain(places, memory, row, 6), width, 6)[:width]
        assert [tuple(y[y != 0]) for y in found.tokens[row]] == [y for y, _ in wanted]
        np.testing.assert_allclose(found.score[row], [s for _, s in wanted], atol=1e-4)


@pytest.mark.parametrize("attention, fused", [(False, False), (True, True)])
def test_a_wide_beam_is_exhaustive(attention, fused):
    decoder, joiner = parts(attention)
    places = places_of(decoder, joiner)
    memory, length = drawn_memory([4, 2, 1, 0], 4, garbage=9.0), 3
    options, model = {}, None
    if fused:
        model = NGram.learn([[4, 5], [4, 5, 6], [6, 5], [5]], VOCABULARY, order=3)
        options = {"language_model": model, "lm_weight": 0.7, "length_bonus": 0.4}
    found = run(
        (decoder, joiner),
        lambda *memory: transducer_beam_search(
            decoder, joiner, Memory(*memory), 64, 40, length, **options
        ),
        *memory,
        jit=True,
    )
    for row in range(3):
        plain = Plain(places, memory, row)
        every = [y for u in range(length + 1) for y in itertools.product(LABELS, repeat=u)]
        scores = {y: plain.log_p(y) for y in every}
        if fused:
            for y in every:
                ends = model.log_probs(contexts_behind(model, y)[-1:])[0, 3]
                scores[y] += 0.7 * (model.score(y) - ends) + 0.4 * len(y)
        ranked = sorted(every, key=lambda y: -scores[y])
        assert [tuple(int(x) for x in y if x) for y in found[0][row]][:8] == ranked[:8]
        np.testing.assert_allclose(found[1][row], [scores[y] for y in ranked], atol=2e-4)
        assert (found[2][row] < plain.frames).all()
    assert found[1][3, 0] == 0 and np.isneginf(found[1][3, 1:]).all() and not found[0][3].any()


def contexts_behind(model, labels):
    contexts = np.array([model.start()])
    for label in labels:
        contexts = model.advance(contexts, np.array([label]))
    return contexts


def own_logs(plain, labels, frames):
    pairs = enumerate(zip(frames, labels, strict=True))
    return [plain.logs(labels[:u])[t, label] for u, (t, label) in pairs]


def best_path(plain, labels):
    """Where the labels stand on the most probable of their paths, by trying all."""
    best = None
    for frames in itertools.combinations_with_replacement(range(plain.frames), len(labels)):
        gains = own_logs(plain, labels, frames)
        behind = [sum(f <= t for f in frames) for t in range(plain.frames)]
        total = sum(gains) + sum(plain.logs(labels[:u])[t, 0] for t, u in enumerate(behind))
        if best is None or total > best[0]:
            best = total, frames, gains
    return best


def test_a_beam_search_tells_where_its_labels_are():
    decoder, joiner = parts()
    places = places_of(decoder, joiner)
    memory = drawn_memory([4, 3], 4)
    found = run(
        (decoder, joiner),
        lambda *memory: transducer_beam_search(decoder, joiner, Memory(*memory), 64, 3, 3),
        *memory,
    )
    near = 0
    for row in range(2):
        plain = Plain(places, memory, row)
        for i in range(3):
            labels = tuple(int(x) for x in found[0][row, i] if x)
            frames, gains = found[2][row, i, : len(labels)], found[3][row, i, : len(labels)]
            np.testing.assert_allclose(gains, own_logs(plain, labels, frames), atol=1e-5)
            near += tuple(frames) == best_path(plain, labels)[1]
    assert near >= 5


def test_padding_changes_nothing():
    decoder, joiner = parts(attention=True)
    short, padded = drawn_memory([7, 4, 1], 7), drawn_memory([7, 4, 1], 11, garbage=9.0)

    def searches(*memory):
        memory = Memory(*memory)
        best = transducer_beam_search(decoder, joiner, memory, 4, 4, 7)
        return transducer_greedy_search(decoder, joiner, memory, 7)[0], best

    def found(memory):
        return tree.flatten(run((decoder, joiner), searches, *memory))

    alone = found(Memory(*(leaf[1:2, :4] for leaf in short)))
    for a, b, c in zip(found(short), found(padded), alone, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
        np.testing.assert_allclose(a[1], c[0], atol=1e-4)


def test_a_beam_of_numbers_that_make_no_sense():
    decoder, joiner = parts()
    with pytest.raises(UserError, match="n_best must be at least 1"):
        transducer_beam_search(decoder, joiner, drawn_memory([2], 2), 2, 3)
    with pytest.raises(UserError, match="weight must be at least 0"):
        transducer_beam_search(decoder, joiner, drawn_memory([2], 2), lm_weight=-1.0)
