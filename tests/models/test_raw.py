"""Models take raw sources and texts where Keras takes prepared batches, and one source alone."""

import re
from pathlib import Path

import numpy as np
import pytest

import kerasseq
from kerasseq.acoustics import LogMel
from kerasseq.encoders import Chain, FrameStacking, RNNEncoder
from kerasseq.errors import OptionError, UserError
from kerasseq.generation import Beam, Greedy
from kerasseq.models import CTC, Options
from kerasseq.preprocessing import CaptionPreprocessor, SpeechPreprocessor
from tests.deciding import KINDS, TEXTS, made
from tests.thorough import cases

SHORT = {"max_length": 4, "jit": False}


@pytest.fixture(scope="module")
def model():
    return made("seq2seq")


def test_one_source_gives_one_text(model):
    one = model.generate("ab ba", **SHORT)
    assert isinstance(one, str) and [one] == model.generate(["ab ba"], **SHORT)
    best = model.hypotheses("ab ba", beam=2, n_best=2, **SHORT)
    assert best == model.hypotheses(["ab ba"], beam=2, n_best=2, **SHORT)[0] and len(best) == 2
    assert model.generate("ab", prefixes="c", **SHORT).startswith("c")


def test_one_recording_or_picture_is_one_source(tmp_path):
    learned = {"vocabularies": {"target": {"size": 9, "digest": "0"}}}
    sound, picture = SpeechPreprocessor(**learned), CaptionPreprocessor(**learned)
    for raw in ("a.wav", tmp_path / "a.wav", np.zeros(9, "int16"), np.zeros(9, "float32")):
        assert sound.is_single(raw) and not sound.is_single([raw])
    assert not sound.is_single(np.zeros((2, 9), "int16"))
    for raw in ("a.jpg", tmp_path / "a.jpg", np.zeros((4, 4, 3), "uint8")):
        assert picture.is_single(raw) and not picture.is_single([raw])
    assert not picture.is_single(np.zeros((2, 4, 4, 3), "uint8"))


def test_options_are_keywords_too(model):
    expected = model.generate(TEXTS, Options(Beam(2), max_length=4), jit=False)
    assert model.generate(TEXTS, beam=2, **SHORT) == expected
    greedy = model.generate(TEXTS, Options(Greedy(), max_length=4), jit=False)
    assert model.generate(TEXTS, beam=1, **SHORT) == greedy
    for ask in (model.generate, model.hypotheses):
        with pytest.raises(UserError, match=r"either options or beam=\.\.\., not both"):
            ask(TEXTS, Options(), beam=4)
        with pytest.raises(OptionError, match=r"^bema is no option .* beam, .*batch_size, jit"):
            ask(TEXTS, bema=4)
        with pytest.raises(OptionError, match="^ctc_weight is for hybrid models"):
            ask(TEXTS, ctc_weight=0.5)


@pytest.mark.parametrize("kind", cases(KINDS, "seq2seq"))
def test_training_on_raw_texts_is_training_on_prepared_ones(kind):
    histories = []
    for raw in ("lists", "pairs", None):
        model = made(kind)
        x, labels, weights = model.prepare(TEXTS, TEXTS)
        model.compile(optimizer="sgd", jit_compile=False)
        more = {"batch_size": 5, "epochs": 2, "verbose": 0, "shuffle": False}
        pairs = list(zip(TEXTS, TEXTS, strict=True))
        if raw == "lists":
            history = model.fit(TEXTS, TEXTS, validation_data=(TEXTS, TEXTS), **more)
            loss = model.evaluate(TEXTS, TEXTS, batch_size=5, verbose=0)
        elif raw == "pairs":
            history = model.fit(pairs, validation_data=pairs, **more)
            loss = model.evaluate(pairs, batch_size=5, verbose=0)
        else:
            valid = (x, labels, weights)
            history = model.fit(x, labels, sample_weight=weights, validation_data=valid, **more)
            loss = model.evaluate(x, labels, sample_weight=weights, batch_size=5, verbose=0)
        histories.append([*history.history["loss"], *history.history["val_loss"], loss])
    np.testing.assert_allclose(histories[0], histories[2], rtol=1e-5)
    np.testing.assert_allclose(histories[1], histories[2], rtol=1e-5)


def test_weights_of_raw_examples(model):
    _, _, plain = model.prepare(TEXTS[:2], TEXTS[:2])
    _, _, weights = model.prepare(TEXTS[:2], TEXTS[:2], [2.0, 0.0])
    np.testing.assert_array_equal(weights, plain * [[2], [0]])


def test_prediction_of_raw_sources_is_text(model):
    assert model.predict(TEXTS[:2], verbose=0) == model.generate(TEXTS[:2])
    with pytest.raises(UserError, match="steps has no effect"):
        model.predict(TEXTS[:2], steps=1)
    x, _, _ = model.prepare(TEXTS[:2], TEXTS[:2])
    assert model.predict(x, verbose=0).shape == (2, x["tokens"].shape[1], model.vocabulary_size)


def test_raw_examples_that_do_not_go_together(model):
    for arguments, message in (
        ((TEXTS, TEXTS[:2]), "2 texts for 5 sources"),
        (([], []), "0 texts for 0 sources"),
        ((TEXTS,), "Example 0 must be a pair"),
        (("one", "eins"), "Give a list of sources, not one"),
    ):
        with pytest.raises(UserError, match=message):
            model.prepare(*arguments)
    alone = CTC(Chain([LogMel(4000, 8), FrameStacking(4), RNNEncoder(4)]), 9)
    alone.compile(optimizer="sgd")
    for ask in (lambda: alone.fit(["a"], ["b"]), lambda: alone.predict(["a"])):
        with pytest.raises(UserError, match="without a preprocessor"):
            ask()


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_shows_shapes(kind, capsys):
    model, lines = made(kind), []
    model.summary(print_fn=lines.append, line_length=120)
    text = "\n".join(lines)
    assert f"(None, None, {model.encoder.width})" in text
    assert f"None, {model.vocabulary_size})" in text
    assert not hasattr(model.encoder, "output_shape")


def test_the_table_of_the_readme_is_true():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `kerasseq\.(\w+)` \| (.*) \|$", readme, re.MULTILINE)
    assert len(rows) > 10
    for package, about in rows:
        part = getattr(kerasseq, package)
        assert part.__all__
        for name in re.findall(r"`(\w+)`", about):
            assert hasattr(part, name), f"kerasseq.{package}.{name}"
