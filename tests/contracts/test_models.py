"""What holds for every model: training under XLA, saving, and the same text everywhere."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import backend
from kerasseq.errors import UserError
from kerasseq.generation import Beam, Greedy, Sample
from kerasseq.models import Options, generate
from kerasseq.precision import dtype_policy_scope
from kerasseq.preprocessing import TextPreprocessor
from tests.contracts.zoo import model_of
from tests.thorough import cases, thorough

pytestmark = pytest.mark.backends

PAIRS = [("one two three", "eins zwei drei"), ("four five", "vier fünf"), ("six", "sechs")] * 20
SOURCES = ["one five three", "six", "two two four one", "five", "three six one two four"]

# One of each kind; the combinations of score and alignment share all that is tested here.
KINDS = (
    "rnn-initial",
    "rnn-joined-gru",
    "rnn-additive-global-before",
    "rnn-bilinear-global-after-fed",
    "rnn-heads-before",
    "transformer",
    "convolution",
)
EVERY_KIND = pytest.mark.parametrize("name", KINDS)
# Few steps: without a limit each search is compiled twice, with little room and with more.
SHORT = {"max_length": 12}
# One recurrent with state and static, one with caches: what takes long is done with these.
TWO = ("rnn-additive-global-before", "transformer")
TWO_KINDS = pytest.mark.parametrize("name", cases(TWO, TWO[0]))


@pytest.fixture(scope="module")
def preprocessor():
    return TextPreprocessor.learn(PAIRS, "char", 40)


def batch(preprocessor):
    sources, targets = zip(*PAIRS[:3], strict=True)
    tokens, labels, weights = preprocessor.targets(targets)
    return {**preprocessor.features(sources), "tokens": tokens}, labels, weights


@pytest.mark.parametrize("name", cases(KINDS, TWO[0]))
def test_training_steps_with_dropout_under_xla(name, preprocessor):
    model = model_of(name, preprocessor, dropout=0.2)
    optimizer = keras.optimizers.Adam(0.01)
    compiled = backend.name() != "torch"
    model.compile(optimizer=optimizer, label_smoothing=0.1, jit_compile=compiled)
    before = [ops.convert_to_numpy(v) for v in model.trainable_variables]
    step = backend.make_stepper(model)
    losses = [float(step(batch(preprocessor))) for _ in range(8)]
    step.sync()
    assert np.all(np.isfinite(losses)) and losses[-1] < losses[0]
    after = [ops.convert_to_numpy(v) for v in model.trainable_variables]
    for variable, old, new in zip(model.trainable_variables, before, after, strict=True):
        assert not np.array_equal(old, new), f"{variable.path} was not trained"


@thorough
@pytest.mark.parametrize(
    "name", cases(["rnn-bilinear-global-after-fed", "transformer", "convolution"], "convolution")
)
def test_mixed_precision_trains_writes_and_is_saved(name, preprocessor, tmp_path):
    with dtype_policy_scope("mixed_float16"):
        model = model_of(name, preprocessor, dropout=0.2)
    model.compile(optimizer=keras.optimizers.Adam(0.01), label_smoothing=0.1, jit_compile=False)
    step = backend.make_stepper(model)
    losses = [float(step(batch(preprocessor))) for _ in range(8)]
    step.sync()
    assert np.all(np.isfinite(losses)) and losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")  # and loaded where float32 is the policy
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.generate(SOURCES, jit=False) == model.generate(SOURCES, jit=False)


def test_fit_with_r_drop(preprocessor):
    model = model_of("rnn-initial", preprocessor, dropout=0.2)
    model.compile(optimizer="adam", label_smoothing=0.1, r_drop=1.0)
    x, labels, weights = batch(preprocessor)
    history = model.fit(x, labels, sample_weight=weights, batch_size=3, epochs=2, verbose=0)
    assert np.all(np.isfinite(history.history["loss"]))


@TWO_KINDS
def test_text_does_not_depend_on_the_batch(name, preprocessor):
    model, options = model_of(name, preprocessor), Options(Beam(3), **SHORT)
    together = model.generate(SOURCES, options, jit=False)
    alone = [model.generate([source], options, jit=False)[0] for source in SOURCES]
    pairs = model.generate(SOURCES[::-1], options, batch_size=2, jit=False)[::-1]
    assert together == alone == pairs


@pytest.mark.parametrize("strategy", cases([Greedy(), Beam(3, n_best=2), Sample(seed=5)], Greedy()))
def test_room_for_fewer_steps_changes_nothing(strategy, preprocessor, monkeypatch):
    model, found = model_of("transformer", preprocessor), []
    for room in (0, 1000):
        monkeypatch.setattr(generate, "_SPARE_STEPS", room)
        found.append(model.hypotheses(SOURCES, Options(strategy), jit=False))
    steps = model.preprocessor.features(SOURCES)["mask"].shape[1]
    assert max(len(row[0].tokens) for row in found[0]) > steps
    for few, many in zip(*found, strict=True):
        assert [h.text for h in few] == [h.text for h in many]
        np.testing.assert_allclose([h.score for h in few], [h.score for h in many], rtol=1e-4)


def test_a_minimum_holds_whatever_else_is_in_the_batch(preprocessor):
    model, options = model_of("transformer", preprocessor), Options(Greedy(), min_length=40)
    alone = model.hypotheses(["six"], options, jit=False)[0]
    (together, *_) = model.hypotheses(["six", *SOURCES], options, jit=False)
    assert alone[0].tokens == together[0].tokens
    assert len(alone[0].tokens) > 40


def test_an_ensemble_needs_one_vocabulary(preprocessor):
    exchanged = [(a, b.replace("e", "y").replace("i", "e").replace("y", "i")) for a, b in PAIRS]
    other = TextPreprocessor.learn([*exchanged, ("q", "q")], "char", 40)
    size = preprocessor.target_vocabulary_size
    if other.target_vocabulary_size != size:
        for side in other.vocabularies.values():
            side["size"] = size
    models = [model_of("rnn-initial", one) for one in (preprocessor, other)]
    with pytest.raises(UserError, match="one target vocabulary"):
        models[0].generate(SOURCES, with_models=models[1:], jit=False)


def test_bfloat16_logits_are_near(preprocessor):
    model = model_of("transformer", preprocessor)
    scores = [
        [row[0].score for row in model.hypotheses(SOURCES, options, jit=False)]
        for options in (Options(Greedy()), Options(Greedy(), precision="bfloat16"))
    ]
    assert scores[0] != scores[1]
    np.testing.assert_allclose(*scores, rtol=0.02)


@pytest.mark.parametrize("name", cases(KINDS, *TWO))
def test_saved_and_loaded_it_writes_the_same(name, preprocessor, tmp_path):
    model = model_of(name, preprocessor)
    model.card = {"data": "three pairs"}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.card == {"data": "three pairs"}
    assert loaded.count_params() == model.count_params()
    assert loaded.generate(SOURCES, jit=False) == model.generate(SOURCES, jit=False)


@pytest.mark.parametrize("shared", [False, True])
def test_shared_embeddings_are_one_matrix_before_and_after(shared, preprocessor, tmp_path):
    model = model_of("transformer", preprocessor, shared=shared)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.decoder.embedding is loaded.frontend) == shared
    assert len(loaded.trainable_variables) == len(model.trainable_variables)


def test_weights_trained_on_are_never_stale(preprocessor):
    model = model_of("transformer", preprocessor)
    first = model.hypotheses(SOURCES, jit=False)
    for variable in model.trainable_variables:
        variable.assign(variable * 0.5)
    second = model.hypotheses(SOURCES, jit=False)
    assert [h[0].score for h in first] != [h[0].score for h in second]


@pytest.mark.skipif(backend.name() == "torch", reason="PyTorch compiles nothing")
@TWO_KINDS
def test_compiled_generation_is_the_uncompiled_one(name, preprocessor):
    model = model_of(name, preprocessor)
    for strategy in (Greedy(), Beam(3, n_best=2), Sample(seed=5)):
        options = Options(strategy, **SHORT)
        slow = model.hypotheses(SOURCES, options, jit=False)
        fast = model.hypotheses(SOURCES, options, jit=True)
        assert [[h.text for h in row] for row in slow] == [[h.text for h in row] for row in fast]


def test_prefix_minimum_and_ensemble(preprocessor):
    model = model_of("transformer", preprocessor)
    other = model_of("rnn-additive-global-before", preprocessor, seed=2)
    options = Options(Beam(3), **SHORT)
    texts = model.generate(SOURCES, options, prefixes=["ei"] * len(SOURCES), jit=False)
    assert all(text.startswith("ei") for text in texts)
    long = model.hypotheses(SOURCES, Options(Greedy(), min_length=9, **SHORT), jit=False)
    assert all(len(row[0].tokens) >= 10 for row in long)
    both = model.hypotheses(SOURCES, options, with_models=[other], jit=False)
    swapped = other.hypotheses(SOURCES, options, with_models=[model], jit=False)
    for a, b in zip(both, swapped, strict=True):
        assert a[0].text == b[0].text
        assert a[0].score == pytest.approx(b[0].score, abs=1e-4)


def test_attention_of_a_source(preprocessor):
    model = model_of("transformer", preprocessor)
    source, target, weights = model.attention("one two", "eins")
    assert weights.shape == (len(target), len(source))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-4)
