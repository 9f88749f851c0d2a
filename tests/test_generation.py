"""The decoding loop on toys small enough to enumerate every hypothesis."""

import itertools
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops, tree

from kerasseq.backend import compile_function
from kerasseq.decoders import Stepwise
from kerasseq.errors import UserError
from kerasseq.generation import (
    Ban,
    Beam,
    Ensemble,
    ForcedPrefix,
    Greedy,
    MinimumLength,
    NoRepeatedNGram,
    Sample,
    attend,
    rescore,
    search,
)
from kerasseq.generation.selection import Candidates
from kerasseq.masking import Memory

pytestmark = pytest.mark.backends

PAD, UNKNOWN, BEGIN, END = range(4)
LENGTH = 8
seeds = st.integers(0, 2**32 - 1)


class Toy(Stepwise):
    """A random recurrent decoder with attention, whose logits depend on the whole prefix."""

    def __init__(self, vocabulary_size=7, width=6, seed=0, end=0.0):
        random = np.random.default_rng(seed)

        def weights(*shape):
            return random.normal(size=shape).astype("float32")

        self.vocabulary_size = vocabulary_size
        self.embedding = weights(vocabulary_size, width) * 2
        self.recurrent = weights(width, width)
        self.output = weights(2 * width, vocabulary_size) * 1.5
        self.bias = end * np.eye(vocabulary_size, dtype="float32")[END]

    def begin(self, memory, length, constants=None):
        n = ops.shape(memory.values)[0]
        static = {"values": memory.values, "mask": memory.mask}
        hidden = ops.zeros((n, self.recurrent.shape[0]))
        return static, {"hidden": hidden, "weights": ops.zeros_like(memory.values[:, :, 0])}

    def step(self, tokens, position, static, state):
        embedded = ops.take(ops.convert_to_tensor(self.embedding), tokens, axis=0)
        hidden = ops.tanh(ops.matmul(state["hidden"], self.recurrent) + embedded)
        scores = ops.sum(static["values"] * hidden[:, None], axis=-1)
        weights = ops.softmax(ops.where(static["mask"], scores, -1e9), axis=-1)
        context = ops.sum(weights[:, :, None] * static["values"], axis=1)
        logits = ops.matmul(ops.concatenate([hidden, context], axis=-1), self.output)
        logits = ops.add(logits, self.bias)
        return logits, {"hidden": ops.tanh(hidden + context), "weights": weights}


class Markov(Stepwise):
    """The memory's values (N, V, V) are the logits of the next token after each token."""

    def __init__(self, vocabulary_size):
        self.vocabulary_size = vocabulary_size

    def begin(self, memory, length, constants=None):
        return {"table": memory.values}, {}

    def step(self, tokens, position, static, state):
        return ops.take_along_axis(static["table"], tokens[:, None, None], axis=1)[:, 0], state


def memory_of(seed, n=3, steps=4, width=6):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, steps + 1, n)
    mask = np.arange(steps) < lengths[:, None]
    values = random.normal(size=(n, steps, width)).astype("float32") * mask[:, :, None]
    return Memory(values, mask)


@lru_cache
def searcher(decoder, strategy, length, filters=()):
    """The search, compiled once for all memories of a shape."""

    def fn(memory, given):
        given = dict(given)
        prefix = given.pop("prefix", None)
        more = () if prefix is None else (ForcedPrefix(*prefix),)
        return search(decoder, memory, strategy, length, (*more, *filters), **given)

    return compile_function([], fn, jit=False)


def run(decoder, memory, strategy, length, filters=(), **given):
    arguments = tree.map_structure(ops.convert_to_tensor, (memory, given))
    tokens, scores, _ = searcher(decoder, strategy, length, filters)(*arguments)
    return ops.convert_to_numpy(tokens), ops.convert_to_numpy(scores)


@lru_cache
def scorer(decoder):
    return compile_function([], lambda memory, tokens: rescore(decoder, memory, tokens), jit=False)


def score(decoder, memory, tokens):
    """log p of (N, T) tokens, or of the (N, K, T) of each source."""
    repeated = tree.map_structure(lambda x: np.repeat(x, tokens[..., 0].size // len(x), 0), memory)
    arguments = tree.map_structure(
        ops.convert_to_tensor, (repeated, tokens.reshape(-1, tokens.shape[-1]))
    )
    return ops.convert_to_numpy(scorer(decoder)(*arguments)).reshape(tokens.shape[:-1])


def row(memory, n):
    return Memory(memory.values[n : n + 1], memory.mask[n : n + 1])


def uniforms(strategy, rows, length=LENGTH):
    return {"uniforms": strategy.draw(rows, length)} if isinstance(strategy, Sample) else {}


def lp(length, alpha):
    return ((5 + length) / 6) ** alpha


def length_of(tokens):
    return int((tokens != PAD).sum())


def every_hypothesis(vocabulary_size, length):
    """All hypotheses of at most `length` tokens, padded: finished ones, and those at the limit."""
    words = range(END + 1, vocabulary_size)
    for n in range(length):
        for body in itertools.product(words, repeat=n):
            yield [*body, END] + [PAD] * (length - n - 1)
    yield from map(list, itertools.product(words, repeat=length))


# Some of its hypotheses end early and some not at all.
TOY = Toy(seed=1, end=1.0)


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([0.0, 0.6, 2.0]))
def test_exhaustive_beam_is_brute_force(seed, alpha):
    length, memory = 4, memory_of(seed)
    beam = Beam(width=3**length, length_penalty=alpha, n_best=5)
    tokens, scores = run(TOY, memory, beam, length)
    everything = np.asarray(list(every_hypothesis(TOY.vocabulary_size, length)), "int32")
    everything_scores = score(TOY, memory, np.stack([everything] * 3))
    lengths = np.asarray([length_of(t) for t in everything])
    for n in range(3):
        expected = everything_scores[n] / lp(lengths, alpha)
        order = np.argsort(-expected)[:5]
        np.testing.assert_allclose(scores[n], expected[order], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(tokens[n, 0], everything[order[0]])


def test_a_finished_hypothesis_is_not_lost_by_extending_it():
    a, b = 4, 5
    p = np.full((6, 6), 1e-9)
    p[BEGIN, [END, a, b]] = 0.40, 0.35, 0.25
    p[a, [END, a, b]] = 0.90, 0.05, 0.05
    p[b, [END, a, b]] = 0.95, 0.03, 0.02
    p[END, [END, a, b]] = 1 / 3
    logits = np.log(p / p.sum(1, keepdims=True)).astype("float32")

    # A search that goes on with all hypotheses alike has forgotten the best one, "END".
    beams = [([BEGIN], 0.0)]
    for _ in range(3):
        longer = [(h + [v], s + logits[h[-1], v]) for h, s in beams for v in range(6)]
        beams = sorted(longer, key=lambda hs: -hs[1])[:2]
    naive = max(s for _, s in beams)
    memory = Memory(logits[None], np.ones((1, 6), bool))
    tokens, scores = run(Markov(6), memory, Beam(2, length_penalty=0.0), 3)
    assert tokens.tolist() == [[[END, PAD, PAD]]]
    assert scores[0, 0] == pytest.approx(np.log(0.4), abs=1e-5) and scores[0, 0] > naive + 0.1


def test_at_the_limit_an_unfinished_hypothesis_can_win():
    p = np.full((6, 6), 1e-9)
    p[[BEGIN, 4, 5], END] = 0.02
    p[[BEGIN, 4, 5], 4] = 0.97
    logits = np.log(p / p.sum(1, keepdims=True)).astype("float32")
    memory = Memory(logits[None], np.ones((1, 6), bool))
    tokens, scores = run(Markov(6), memory, Beam(3, length_penalty=0.0, n_best=3), 3)
    assert tokens[0].tolist() == [[4, 4, 4], [END, PAD, PAD], [4, END, PAD]]
    assert tokens[0, 0].tolist() == run(Markov(6), memory, Greedy(), 3)[0][0, 0].tolist()
    np.testing.assert_allclose(
        np.exp(scores[0]), [(97 / 99) ** 3, 2 / 99, 97 * 2 / 99**2], rtol=1e-4
    )


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([0.0, 1.0]))
def test_scores_are_those_of_teacher_forcing_sorted_and_distinct(seed, alpha):
    memory = memory_of(seed)
    tokens, scores = run(TOY, memory, Beam(4, length_penalty=alpha, n_best=4), LENGTH)
    forced = score(TOY, memory, tokens)
    for n in range(3):
        found = tokens[n][np.isfinite(scores[n])]
        assert len({tuple(t) for t in found.tolist()}) == len(found)
        assert (np.diff(scores[n][: len(found)]) <= 0).all()
        expected = forced[n, : len(found)] / [lp(length_of(t), alpha) for t in found]
        np.testing.assert_allclose(scores[n][: len(found)], expected, rtol=1e-4, atol=1e-5)
    assert (np.where(tokens == PAD, 0, tokens) >= 0).all()
    assert not np.isin(tokens, [UNKNOWN, BEGIN]).any()


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_greedy_is_a_beam_of_one(seed):
    memory = memory_of(seed)
    greedy, greedy_scores = run(TOY, memory, Greedy(), LENGTH)
    tokens, scores = run(TOY, memory, Beam(1, length_penalty=0.0), LENGTH)
    np.testing.assert_array_equal(tokens, greedy)
    np.testing.assert_allclose(scores, greedy_scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scores[:, 0], score(TOY, memory, tokens[:, 0]), rtol=1e-4, atol=1e-5)


STRATEGIES = [
    Greedy(),
    Beam(3, n_best=2),
    Beam(3, coverage_penalty=0.3),
    Sample(temperature=0.8),
    Sample(top_k=3, top_p=0.9, seed=3),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
def test_a_row_is_the_same_in_a_batch_and_alone_with_more_padding(strategy):
    memory = memory_of(5)
    tokens, scores = run(TOY, memory, strategy, LENGTH, **uniforms(strategy, range(3)))
    padded = Memory(
        np.pad(memory.values, ((0, 0), (0, 3), (0, 0))), np.pad(memory.mask, ((0, 0), (0, 3)))
    )
    for n in range(3):
        alone, alone_scores = run(TOY, row(padded, n), strategy, LENGTH, **uniforms(strategy, [n]))
        np.testing.assert_array_equal(alone[0], tokens[n])
        np.testing.assert_allclose(alone_scores[0], scores[n], rtol=1e-4)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
def test_a_limit_is_the_same_as_fewer_steps(strategy):
    memory = memory_of(7)
    short, short_scores = run(TOY, memory, strategy, 3)
    free, free_scores = run(TOY, memory, strategy, LENGTH)
    limits = np.asarray([3, 3, LENGTH], "int32")
    tokens, scores = run(TOY, memory, strategy, LENGTH, limits=limits)
    np.testing.assert_array_equal(tokens[:2, :, :3], short[:2])
    assert (tokens[:2, :, 3:] == PAD).all()
    np.testing.assert_array_equal(tokens[2], free[2])
    expected = np.concatenate([short_scores[:2], free_scores[2:]])
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


class ToTheEnd(Beam):
    """A beam search without its early stop."""

    def going(self, position, pool, context):
        return position < context.length


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([(0.0, 0.0), (1.5, 0.0), (0.5, 0.4)]))
def test_stopping_early_changes_nothing(seed, penalties):
    memory = memory_of(seed)
    tokens, scores = run(TOY, memory, Beam(3, *penalties, n_best=2), LENGTH)
    expected, expected_scores = run(TOY, memory, ToTheEnd(3, *penalties, n_best=2), LENGTH)
    np.testing.assert_array_equal(tokens, expected)
    np.testing.assert_array_equal(scores, expected_scores)


def test_coverage_penalty_is_that_of_the_paper():
    memory = memory_of(2)
    tokens, scores = run(TOY, memory, Beam(4, 0.8, coverage_penalty=0.5), LENGTH)
    weights = attend(TOY, Memory(*map(ops.convert_to_tensor, memory)), tokens[:, 0])
    weights = ops.convert_to_numpy(weights)
    weights = weights * (tokens[:, 0] != PAD)[:, :, None]
    logs = np.log(np.minimum(weights.sum(1), 1.0), where=memory.mask, out=np.zeros((3, 4)))
    lengths = np.asarray([length_of(t) for t in tokens[:, 0]])
    expected = score(TOY, memory, tokens[:, 0]) / lp(lengths, 0.8) + 0.5 * logs.sum(1)
    np.testing.assert_allclose(scores[:, 0], expected, rtol=1e-4)


def test_coverage_without_attention_is_refused():
    memory = Memory(np.zeros((1, 6, 6), "float32"), np.ones((1, 6), bool))
    with pytest.raises(UserError, match="decoder with attention"):
        run(Markov(6), memory, Beam(2, coverage_penalty=0.1), 3)
    with pytest.raises(UserError, match="decoder with attention"):
        attend(Markov(6), Memory(*map(ops.convert_to_tensor, memory)), np.asarray([[4, 3]]))


def test_fewer_hypotheses_than_asked_for():
    table = np.zeros((1, 5, 5), "float32")
    tokens, scores = run(
        Markov(5), Memory(table, np.ones((1, 5), bool)), Beam(6, n_best=6), 2, (Ban((4,)),)
    )
    assert tokens[0].tolist() == [[END, PAD]] + [[PAD, PAD]] * 5
    assert np.isfinite(scores[0]).tolist() == [True] + [False] * 5


BOTH = pytest.mark.parametrize("strategy", [Greedy(), Beam(3, n_best=2)], ids=str)


@BOTH
def test_minimum_length(strategy):
    free, _ = run(TOY, memory_of(1), strategy, LENGTH)
    tokens, _ = run(TOY, memory_of(1), strategy, LENGTH, (MinimumLength(5),))
    assert (free[:, :, :5] == END).any() and not (tokens[:, :, :5] == END).any()
    with pytest.raises(UserError, match="no room for the end symbol"):
        run(TOY, memory_of(1), strategy, 5, (MinimumLength(5),))


@BOTH
def test_banned_tokens(strategy):
    free, _ = run(TOY, memory_of(1), strategy, LENGTH)
    tokens, _ = run(TOY, memory_of(1), strategy, LENGTH, (Ban((4, 6)),))
    assert np.isin(free, [4, 6]).any() and not np.isin(tokens, [4, 6]).any()
    for wrong, message in [((END,), "end symbol"), ((9,), "not in the vocabulary")]:
        with pytest.raises(UserError, match=message):
            run(TOY, memory_of(1), strategy, LENGTH, (Ban(wrong),))


@BOTH
@pytest.mark.parametrize("size", [1, 3])
def test_no_repeated_ngram(strategy, size):
    def repeats(tokens):
        grams = [tuple(tokens[i : i + size]) for i in range(length_of(tokens) - size + 1)]
        return len(grams) - len(set(grams))

    toy = Toy(9, seed=4, end=-1.0)
    memory = memory_of(3)
    free, _ = run(toy, memory, strategy, 12)
    tokens, scores = run(toy, memory, strategy, 12, (NoRepeatedNGram(size),))
    assert sum(map(repeats, free.reshape(-1, 12))) > 0
    assert sum(map(repeats, tokens.reshape(-1, 12))) == 0
    assert np.isfinite(scores).all()


def test_no_repeated_ngram_forbids_nothing_else():
    def repeats(h):
        pairs = list(itertools.pairwise(h))
        return len(pairs) > len(set(pairs))

    length, memory = 4, memory_of(11, n=1)
    beam = Beam(3**length, n_best=1, length_penalty=3.0)
    tokens, scores = run(TOY, memory, beam, length, (NoRepeatedNGram(2), MinimumLength(3)))
    candidates = np.asarray(
        [h for h in every_hypothesis(7, length) if PAD not in h and not repeats(h)], "int32"
    )
    expected = score(TOY, memory, candidates[None])[0] / lp(4, 3.0)
    np.testing.assert_allclose(scores[0, 0], expected.max(), rtol=1e-4)
    np.testing.assert_array_equal(tokens[0, 0], candidates[expected.argmax()])


@BOTH
def test_forced_prefix_of_each_row_its_own(strategy):
    memory = memory_of(1, n=4)
    prefix = np.asarray([[4, 5, 6], [6, 0, 0], [0, 0, 0], [1, 4, END]], "int32")
    lengths = np.asarray([3, 1, 0, 3], "int32")
    tokens, scores = run(TOY, memory, strategy, 8, (Ban((6,)),), prefix=(prefix, lengths))
    assert np.isfinite(scores[:, 0]).all(), "a banned or special token can be forced"
    free, _ = run(TOY, memory, strategy, 8, (Ban((6,)),))
    for n in range(4):
        for hypothesis in tokens[n][np.isfinite(scores[n])]:
            assert hypothesis[: lengths[n]].tolist() == prefix[n, : lengths[n]].tolist()
            assert not np.isin(hypothesis[lengths[n] :], [1, 6]).any()
    np.testing.assert_array_equal(tokens[2], free[2])
    assert not tokens[3, :, 3:].any(), "nothing after the forced end"


def test_sampling_depends_on_the_seed_and_on_nothing_else():
    memory = memory_of(1)
    one, one_scores = run(TOY, memory, Sample(seed=1), LENGTH)
    again, _ = run(TOY, memory, Sample(seed=1), LENGTH)
    other, _ = run(TOY, memory, Sample(seed=2), LENGTH)
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    np.testing.assert_allclose(one_scores[:, 0], score(TOY, memory, one[:, 0]), rtol=1e-4)
    np.testing.assert_array_equal(
        Sample(seed=1).draw([3], 8), Sample(seed=1).draw(range(9), 20)[3:4, :8]
    )


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_sampling_of_the_best_token_alone_is_greedy(seed):
    memory = memory_of(seed)
    greedy, scores = run(TOY, memory, Greedy(), LENGTH)
    for strategy in (Sample(top_k=1, seed=5), Sample(top_p=1e-4)):
        tokens, sampled = run(TOY, memory, strategy, LENGTH)
        np.testing.assert_array_equal(tokens, greedy)
        np.testing.assert_allclose(sampled, scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Sample(), [0.1, 0.2, 0.3, 0.4]),
        (Sample(temperature=0.5), np.asarray([0.01, 0.04, 0.09, 0.16]) / 0.3),
        (Sample(top_k=2), [0, 0, 3 / 7, 4 / 7]),
        (Sample(top_p=0.71), [0, 2 / 9, 3 / 9, 4 / 9]),
        (Sample(top_k=3, top_p=0.5), [0, 0, 3 / 7, 4 / 7]),
    ],
    ids=str,
)
def test_sampling_draws_from_the_distribution_it_names(strategy, expected):
    n = 4000
    logits = np.full((8, 8), -np.inf, "float32")
    logits[:, 4:] = np.log([0.1, 0.2, 0.3, 0.4])
    # Tokens that are never chosen count in the model's distribution, not in the sample's.
    logits[:, UNKNOWN] = 1.0
    memory = Memory(np.broadcast_to(logits, (n, 8, 8)), np.ones((n, 8), bool))
    tokens, _ = run(Markov(8), memory, strategy, 1)
    frequencies = np.bincount(tokens.ravel(), minlength=8)[4:] / n
    np.testing.assert_allclose(frequencies, expected, atol=0.03)
    assert (frequencies[np.asarray(expected) == 0] == 0).all()


def test_an_ensemble_averages_probabilities():
    first, second = Toy(seed=1), Toy(seed=2)
    memories = [memory_of(1), memory_of(2, steps=6)]
    both = Ensemble([first, second])
    tokens, scores = run(both, memories, Beam(4, length_penalty=0.0, n_best=2), 6)
    np.testing.assert_allclose(scores[:, 0], score(both, memories, tokens[:, 0]), rtol=1e-4)
    one_step = np.asarray([[5]] * 3, "int32")
    expected = np.logaddexp(
        score(first, memories[0], one_step), score(second, memories[1], one_step)
    ) - np.log(2)
    np.testing.assert_allclose(score(both, memories, one_step), expected, rtol=1e-4)
    alone = run(first, memories[0], Beam(4), 6)
    twice = run(Ensemble([first, first]), [memories[0]] * 2, Beam(4), 6)
    np.testing.assert_array_equal(twice[0], alone[0])
    np.testing.assert_allclose(twice[1], alone[1], rtol=1e-4)


def test_what_an_ensemble_refuses():
    with pytest.raises(UserError, match="one target vocabulary"):
        Ensemble([Toy(7), Toy(8)])
    with pytest.raises(UserError, match="needs as many memories"):
        run(Ensemble([TOY, TOY]), [memory_of(1)], Greedy(), 4)
    with pytest.raises(UserError, match="coverage penalty"):
        run(Ensemble([TOY]), [memory_of(1)], Beam(2, coverage_penalty=0.1), 4)


def test_attention_weights_of_given_tokens():
    memory = Memory(*map(ops.convert_to_tensor, memory_of(4)))
    weights = ops.convert_to_numpy(attend(TOY, memory, np.asarray([[4, 5, 3, 0]] * 3, "int32")))
    assert weights.shape == (3, 4, 4)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    shorter = ops.convert_to_numpy(attend(TOY, memory, np.asarray([[4, 5]] * 3, "int32")))
    np.testing.assert_allclose(shorter, weights[:, :2], rtol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
def test_compiled_by_xla_it_is_the_same(strategy):
    memory = Memory(*map(ops.convert_to_tensor, memory_of(8)))
    filters = (NoRepeatedNGram(2), MinimumLength(2))
    fn = compile_function(
        [], lambda memory: search(TOY, memory, strategy, LENGTH, filters), jit=True
    )
    for expected, result in zip(
        run(TOY, memory, strategy, LENGTH, filters), fn(memory)[:2], strict=True
    ):
        np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-4)


def test_it_runs_without_being_compiled():
    memory = Memory(*map(ops.convert_to_tensor, memory_of(8)))
    expected, _ = run(TOY, memory, Beam(3, n_best=2), LENGTH)
    tokens, _, _ = search(TOY, memory, Beam(3, n_best=2), LENGTH)
    np.testing.assert_array_equal(ops.convert_to_numpy(tokens), expected)


@pytest.mark.parametrize(("width", "size", "k"), [(1, 5, 1), (3, 64, 4), (2, 71, 3)])
def test_best_is_a_top_k_over_everything(width, size, k):
    random = np.random.default_rng(size)
    logits = random.normal(size=(2 * width, size)).astype("float32")
    base = random.normal(size=(2, width)).astype("float32")
    allowed = random.random((1, size)) < 0.8
    tensors = map(ops.convert_to_tensor, (logits, allowed))
    candidates = Candidates(*tensors, width, k)
    results = candidates.best(ops.convert_to_tensor(base))
    sums, beams, tokens = map(ops.convert_to_numpy, results)
    total = np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    normalizer = ops.convert_to_numpy(candidates.log_normalizer())
    np.testing.assert_allclose(normalizer, total, rtol=1e-5, atol=1e-5)
    allowed[:, END] = False  # an ending is looked at apart
    everything = np.where(allowed, logits, -np.inf).reshape(2, width, size) + base[:, :, None]
    expected = -np.sort(-everything.reshape(2, -1))[:, :k]
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-6)
    chosen = everything[np.arange(2)[:, None], beams, tokens]
    np.testing.assert_allclose(chosen, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Beam(0), "width"),
        (lambda: Beam(2, n_best=3), "n_best"),
        (lambda: Beam(2, length_penalty=-1.0), "length_penalty"),
        (lambda: Sample(temperature=0.0), "temperature"),
        (lambda: Sample(top_k=0), "top_k"),
        (lambda: Sample(top_p=1.5), "top_p"),
        (lambda: NoRepeatedNGram(0), "n-gram"),
    ],
)
def test_settings_without_sense_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
