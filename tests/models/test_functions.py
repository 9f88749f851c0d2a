"""Compiled functions are few, never stale, and keep nothing alive."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from kerasseq import backend
from kerasseq.generation import Beam, Greedy, Sample
from kerasseq.metrics.speech import bootstrap_interval
from kerasseq.models import HybridSeq2Seq, Options, Seq2Seq, functions
from kerasseq.models.functions import Functions
from kerasseq.models.hybrid import CTCPrefix
from tests.deciding import KINDS, TEXTS, made, spoken, written
from tests.thorough import cases

FUSED = {"beam": 3, "lm_weight": 2.0}


@pytest.fixture
def compiled(monkeypatch):
    """The functions that were compiled."""
    compile_one, all_of_them = backend.compile_function, []

    def count(variables, fn, *args):
        all_of_them.append(1)  # and not what holds the model
        return compile_one(variables, fn, *args)

    monkeypatch.setattr(functions.backend, "compile_function", count)
    return all_of_them


def numbers(kind, i):
    """The i-th of many options that differ in numbers alone."""
    of_all = {"lm_weight": 0.1 + 0.01 * i}
    if kind in ("ctc", "transducer"):
        more = {} if kind == "ctc" else {"max_length": 1 + i % 8}
        return [Options(Beam(3), **of_all, length_bonus=0.1 * i, **more)]
    if kind == "hybrid":
        of_all["ctc_weight"] = 0.1 + 0.01 * i
    of_all |= {"min_length": 1 + i % 3, "max_length": 5 + i % 4}
    return [
        Options(Beam(3, length_penalty=0.1 * i), **of_all),
        Options(Sample(temperature=1 + 0.1 * i, top_p=0.9 - 0.01 * i, seed=i), **of_all),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_other_numbers_need_no_other_compilation(kind, compiled):
    model, found = made(kind, language_model=True), set()
    for i in range(20):
        for options in numbers(kind, i):
            found.add(str(model.hypotheses(["ab"], options, jit=False)))
        if i == 0:
            warm = len(compiled)
    assert len(compiled) == warm <= 3
    assert len(found) >= 20


def test_the_functions_are_bounded(monkeypatch):
    monkeypatch.setattr(functions, "MOST", 3)
    kept = Functions([])
    for key in (1, 2, 3, 1, 4):
        assert float(kept(key, lambda x, key=key: x * key, np.float32(2), jit=False)) == 2 * key
    assert len(kept) == 3
    # The one that was not called for longest went.
    assert [key for (key, _, _) in kept._kept] == [3, 1, 4]


@pytest.mark.parametrize("kind", cases(KINDS, "seq2seq", "ctc"))
def test_another_language_model_has_its_say_at_once(kind):
    model = made(kind, language_model=True)
    first = written(model, model.options(**FUSED))
    model.language_model = spoken(model, ["cccc", "bbbb"])
    second = written(model, model.options(**FUSED))
    assert second != first
    alone = made(kind)
    alone.language_model = model.language_model
    assert second == written(alone, alone.options(**FUSED))


@pytest.mark.parametrize("part", cases(["encoder", "decoder"], "encoder"))
def test_another_part_has_its_say_at_once(part):
    model, other = made("seq2seq"), made("seq2seq", seed=2)
    model.generate(["ab"], jit=False)
    setattr(model, part, getattr(other, part))
    fresh = made("seq2seq")
    setattr(fresh, part, getattr(other, part))
    assert written(model) == written(fresh) != written(made("seq2seq"))


def test_what_else_changes_has_its_say_at_once():
    model = made("transducer")
    before = written(model, Options(Greedy()))
    model.max_symbols = 1
    assert written(model, Options(Greedy())) != before
    assert written(model) != written(model, Options(Greedy()))
    model.card = {"decoding": {"beam": 1}}
    assert written(model) == written(model, Options(Greedy()))
    before = written(model)
    model.joiner.output_projection.bias.assign(np.eye(model.joiner.vocabulary_size)[0] * 50)
    assert written(model) != before


def test_an_ensemble_keeps_no_model_alive(compiled):
    model, options = made("seq2seq"), Options(Greedy(), max_length=5)
    for seed in (2, 3):
        other = made("seq2seq", seed=seed)
        both = written(model, options, with_models=[other])
        count = len(compiled)
        assert written(model, options, with_models=[other]) == both and len(compiled) == count
        gone = weakref.ref(other)
        del other
        gc.collect()
        assert gone() is None
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("weight", "left_out"), [(0.0, (CTCPrefix, "step")), (1.0, (None, "step"))]
)
def test_what_has_no_weight_is_not_computed(weight, left_out, monkeypatch):
    model = made("hybrid", language_model=True)
    owner, name = left_out
    owner = owner or type(model.decoder)

    def never(*args):
        raise AssertionError("computed in vain")

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, never)
        for lm_weight in (0.0, 0.5):
            written(model, Options(Greedy(), max_length=4, ctc_weight=weight, lm_weight=lm_weight))
        with pytest.raises(AssertionError, match="in vain"):
            written(model, Options(Greedy(), max_length=4, ctc_weight=0.5))
    if weight == 0:
        plain = made("seq2seq")
        pairs = zip(plain.variables, model.variables, strict=False)
        for mine, theirs in pairs:
            mine.assign(theirs)
        assert written(plain) == written(model, model.options(ctc_weight=0.0))


def interval_of_all(errors, draws=2000, seed=0):
    """As `interval` says, all draws in memory together."""
    rng = np.random.default_rng(seed)
    drawn = errors[rng.integers(len(errors), size=(draws, len(errors)))].sum(axis=1)
    return tuple(np.quantile(100 * drawn[:, 0] / np.maximum(drawn[:, 1], 1), [0.025, 0.975]))


@pytest.mark.parametrize("rows", [1, 7, 333, 999])
def test_an_interval_is_that_of_all_draws(rows):
    errors = np.random.default_rng(rows).integers(0, 9, (rows, 2))
    assert bootstrap_interval(errors) == pytest.approx(interval_of_all(errors), rel=1e-12)


def test_an_interval_takes_little_memory():
    errors = np.random.default_rng(0).integers(0, 9, (10_000, 2))
    tracemalloc.start()
    low, high = bootstrap_interval(errors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert low < 100 * errors[:, 0].sum() / errors[:, 1].sum() < high
    assert peak < 40e6


def test_a_hybrid_without_a_weight_of_ctc_trains_without_it(monkeypatch):
    """Its loss is the decoder's, which is what is left when CTC is not asked for."""
    model = made("hybrid")
    parts = [getattr(model, name) for name in ("frontend", "encoder", "decoder")]
    reads = model.preprocessor
    tokens, labels, weights = reads.targets(TEXTS)
    x = {**reads.features(TEXTS), "tokens": tokens}

    def forbidden(*_, **__):
        raise AssertionError("CTC is computed")

    monkeypatch.setattr("kerasseq.models.hybrid.ctc_mean", forbidden)
    alone = HybridSeq2Seq(*parts, reads, ctc_weight=0.0)
    loss = float(alone.compute_loss(x, labels, alone(x), weights, training=False))
    plain = Seq2Seq(*parts, reads)
    expected = float(plain.compute_loss(x, labels, plain(x), weights, training=False))
    assert loss == pytest.approx(expected, rel=1e-5) and not alone.head.trainable
    with pytest.raises(AssertionError, match="CTC is computed"):
        model.compute_loss(x, labels, model(x), weights, training=False)


def test_a_hybrid_of_ctc_alone_is_validated_by_ctc():
    model = made("hybrid")
    parts = [getattr(model, name) for name in ("frontend", "encoder", "decoder")]
    reads = model.preprocessor
    tokens, labels, weights = reads.targets(TEXTS)
    x = {**reads.features(TEXTS), "tokens": tokens}
    alone = HybridSeq2Seq(*parts, reads, ctc_weight=1.0)
    total, units = map(float, alone.evaluation_sums(x, labels, alone(x), weights))
    loss = float(alone.compute_loss(x, labels, alone(x), weights, training=False))
    assert total / units == pytest.approx(loss, rel=1e-5)
