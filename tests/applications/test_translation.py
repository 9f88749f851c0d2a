"""The translation head: its settings, its four kinds of model, and what comes with it."""

import re
import sys

import keras
import numpy as np
import pytest

import kerasseq
from kerasseq.applications.common.preparation import make_progress
from kerasseq.applications.translation.config import configure
from kerasseq.applications.translation.model import build
from kerasseq.applications.translation.training import train
from kerasseq.cli import main
from kerasseq.errors import UserError
from kerasseq.preprocessing import TextPreprocessor
from kerasseq.training.checkpoint import Checkpoints
from tests import preset_files
from tests.thorough import cases, thorough

PAIRS = [("one two three", "eins zwei drei"), ("four five", "vier fünf"), ("six", "sechs")] * 20
SMALL = {
    "transformer": ["width=16", "units=16", "encoder_layers=1", "decoder_layers=1", "heads=2"],
    "rnn": ["embedding=8", "units=12", "layers=1"],
    "rnn-attention": ["embedding=8", "units=12"],
    "convolution": ["embedding=8", "units=8", "layers=1"],
}


@pytest.fixture(scope="module")
def preprocessor():
    return TextPreprocessor.learn(PAIRS, "char", 40)


@pytest.fixture
def pairs(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS))
    return file


def command(pairs, output, kind="rnn", *more):
    settings = [f"model.{setting}" for setting in SMALL[kind]]
    settings += ["tokenizer.kind=char", "training.batch_tokens=64", "training.max_steps=2"]
    chosen = [word for setting in settings for word in ("--set", setting)]
    files = ["--train", str(pairs), "--output", str(output)]
    return ["train", "translation", "--model", kind, *files, *chosen, *more]


@pytest.mark.parametrize("kind", cases(SMALL, "rnn"))
def test_each_kind_trains_goes_on_and_is_saved(kind, pairs, tmp_path, monkeypatch):
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert main(command(pairs, whole, kind)) == 0
    stopped = command(pairs, half, kind, "--set", "training.save_every=1")
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", _two_saves_and_death(Checkpoints.save))
        assert main(stopped) == 130
    assert not (half / "model.keras").exists()
    assert main([*stopped, "--resume"]) == 0
    models = [kerasseq.load(folder) for folder in (whole, half)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(models[0].generate(["one two", "six"])) == 2


def _two_saves_and_death(save):
    calls = []

    def dying(*arguments):
        calls.append(arguments)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return save(*arguments)

    return dying


@thorough
def test_mixed_precision_is_saved_in_float32(pairs, tmp_path):
    more = ("--set", "training.precision=mixed_bfloat16")
    assert main(command(pairs, tmp_path / "run", "transformer", *more)) == 0
    model = kerasseq.load(tmp_path / "run")
    assert model.dtype_policy.name == model.decoder.compute_dtype == "float32"


def test_a_run_begins_with_another_model(pairs, tmp_path, capsys):
    assert main(command(pairs, tmp_path / "first", "rnn")) == 0
    other = tmp_path / "other.tsv"
    other.write_text("six five\tsechs fünf\none\teins\n" * 10)
    more = ["train", "translation", "--train", str(other), "--output", str(tmp_path / "second")]
    more += ["--start-from", str(tmp_path / "first"), "--set", "training.max_steps=1"]
    assert main([*more, "--set", "training.learning_rate=1e-12"]) == 0
    first, second = (kerasseq.load(tmp_path / name) for name in ("first", "second"))
    assert first.preprocessor.digest("target") == second.preprocessor.digest("target")
    for one, two in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-9)
    assert main([*more, "--model", "rnn"]) == 2
    assert "leave out --model" in capsys.readouterr().err


@thorough
def test_a_key_that_is_younger_than_the_run_changes_nothing(pairs, tmp_path):
    assert main(command(pairs, tmp_path / "run")) == 0
    config = tmp_path / "run" / "config.toml"
    config.write_text(re.sub(r"sampling = .*\n", "", config.read_text()))
    assert main([*command(pairs, tmp_path / "run"), "--resume"]) == 0


def test_a_run_goes_on_with_its_own_pairs_alone(pairs, tmp_path, capsys):
    assert main(command(pairs, tmp_path / "run")) == 0
    pairs.write_text(pairs.read_text())  # as if it had been fetched anew
    assert main([*command(pairs, tmp_path / "run"), "--resume"]) == 0
    pairs.write_text(pairs.read_text().replace("drei", "vier"))
    assert main([*command(pairs, tmp_path / "run"), "--resume"]) == 2
    assert "the pairs have changed" in capsys.readouterr().err


def test_a_test_part_without_pairs_is_found_before_the_training(pairs, tmp_path, capsys):
    bad = tmp_path / "bad.tsv"
    bad.write_text("one column\n")
    assert main(command(pairs, tmp_path / "run", "rnn", "--test", str(bad))) == 2
    assert "bad.tsv" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_what_is_wrong_with_validation_and_test_pairs_is_told(pairs, tmp_path, capsys):
    valid, test = tmp_path / "valid.tsv", tmp_path / "test.tsv"
    valid.write_text("six\tsechs\none column\n")
    test.write_text("six\tsechs\n\t\n")
    more = ("--valid", str(valid), "--test", str(test))
    assert main(command(pairs, tmp_path / "run", "rnn", *more)) == 0
    printed = capsys.readouterr().out
    assert "validation: 1 left out" in printed and "valid.tsv:2" in printed
    assert "test: 1 left out" in printed and "test.tsv:2" in printed


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("transformer model.heads=3", "heads"),
        ("transformer model.heads=0", "from 1 to 100,000"),
        ("transformer model.width=65", r"\[model\]"),
        ("transformer model.dropout=1.5", "below 1"),
        ("transformer model.decoder_layers=0", "from 1 to 100,000"),
        ("rnn-attention model.layers=0", "from 1 to 100,000"),
        ("rnn-attention model.units=0", "from 1 to 100,000"),
        ("rnn-attention model.attention.score=multi_head model.units=6", "heads"),
        (
            "rnn-attention model.attention.score=multi_head model.attention.alignment=hard",
            "for one head",
        ),
        ("convolution model.kernel_size=2", "odd"),
        ("rnn tokenizer.kind=char tokenizer.sampling=0.1", "unigram or bpe"),
        ("rnn tokenizer.sampling=-1", "from 0 to 1"),
        ("rnn tokenizer.character_coverage=2", "from 0.98 to 1"),
        ("rnn training.seed=-1", "from 0 to"),
        ("rnn model.initializer=he", "one of matching"),
    ],
)
def test_settings_that_cannot_be(setting, words, preprocessor):
    kind, *overrides = setting.split()
    with pytest.raises(UserError, match=words):
        build(configure({}, kind, None, overrides).model, preprocessor)


@pytest.mark.parametrize("kind", SMALL)
def test_the_model_that_was_named(kind):
    assert configure({}, kind).model.kind == kind
    if kind != "transformer":
        with pytest.raises(UserError, match=f"--model {kind}, but"):
            configure({}, kind, "multi30k-transformer")


def test_an_initializer_draws_the_kernels(preprocessor):
    overrides = [f"model.{setting}" for setting in SMALL["transformer"]]
    models = [
        build(configure({}, "transformer", None, [*overrides, *more]).model, preprocessor)
        for more in ([], ["model.initializer=orthogonal"])
    ]
    usual, orthogonal = (
        keras.ops.convert_to_numpy(model.decoder.layers[0].feed_forward.enter.kernel)
        for model in models
    )
    np.testing.assert_allclose(orthogonal @ orthogonal.T, np.eye(16), atol=1e-5)
    assert np.abs(usual @ usual.T - np.eye(16)).max() > 0.1


def test_sequences_may_be_as_long_as_the_settings_say(preprocessor):
    long = TextPreprocessor.learn(PAIRS, "char", 40, max_source_length=1500, max_target_length=1500)
    overrides = [f"model.{setting}" for setting in SMALL["transformer"]]
    model = build(configure({}, "transformer", None, overrides).model, long)
    features, text = long.features(["one " * 350]), "eins " * 280
    tokens, _, _ = long.targets([text])
    logits = model({**features, "tokens": tokens})
    assert logits.shape[1] > 1024
    with pytest.raises(UserError, match="positions for"):
        model.generate(["one"], kerasseq.Options(max_length=100_000))


def test_encoding_that_takes_long_says_how_far_it_is(monkeypatch, capsys):
    clock = iter([0.0, 1.0, 6.0, 7.0, 12.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    tell = make_progress("training pairs encoded")
    for pairs in (10, 60, 70, 120):
        tell(pairs)
    assert capsys.readouterr().err.splitlines() == [
        "60 training pairs encoded, 10 a second",
        "120 training pairs encoded, 10 a second",
    ]


def test_validation_files_go_with_training_files(tmp_path):
    with pytest.raises(UserError, match="beside --train"):
        train(configure({"valid": ["valid.tsv"]}), tmp_path / "run")


def test_without_babel_ones_own_pairs_train_all_the_same(pairs, tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if "phrases" in name or name.endswith(".corpus")]:
        if name.startswith("kerasseq.applications") or "data.phrases" in name:
            monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.split(".")[0] == "babel"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "babel", None)
    assert main(["train", "translation", "--output", str(tmp_path / "embedded")]) == 2
    assert "pip install 'kerasseq[demo]'" in capsys.readouterr().err
    assert main(command(pairs, tmp_path / "own")) == 0


@pytest.mark.parametrize("name", preset_files.of_head("translation"))
def test_presets_are_what_the_readme_says(name):
    model = preset_files.checked(name, "translation", "sacreBLEU {BLEU:.1f}")
    source = {"en": "A man is riding a bicycle.", "de": "Ein Mann fährt Fahrrad."}
    text = model.generate([source[model.card["source"]]])[0]
    assert re.search({"de": "Mann", "en": "man"}[model.card["target"]], text)
