import dataclasses
import json
import os
import tomllib
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq import config
from kerasseq.errors import UserError
from kerasseq.training import TrainingConfig


@dataclass(frozen=True)
class Attention:
    score: Literal["dot", "additive"] = "dot"
    heads: int = 1


@dataclass(frozen=True)
class Recurrent:
    kind: Literal["rnn", "rnn-attention"] = "rnn"
    units: int = 256
    attention: Attention = Attention()


@dataclass(frozen=True)
class Transformer:
    kind: Literal["transformer"] = "transformer"
    width: int = 128


@dataclass(frozen=True)
class Whole:
    name: str = "x"
    files: tuple[str, ...] = ()
    limit: int | None = None
    ratio: float = 0.5
    shout: bool = False
    model: Recurrent | Transformer = Recurrent()
    training: TrainingConfig = TrainingConfig()


wholes = st.builds(
    Whole,
    name=st.text(),
    files=st.lists(st.text()).map(tuple),
    limit=st.none() | st.integers(-(2**62), 2**62),
    ratio=st.floats(allow_nan=False),
    shout=st.booleans(),
    model=st.builds(Recurrent, st.just("rnn-attention"), st.integers(1, 9))
    | st.builds(Transformer, st.just("transformer"), st.integers(1, 9)),
    training=st.builds(TrainingConfig, learning_rate=st.floats(1e-12, 1e3)),
)


@settings(deadline=None)
@given(wholes)
def test_what_is_written_is_read_back(tmp_path_factory, whole):
    file = tmp_path_factory.mktemp("config") / "c.toml"
    file.write_text(config.to_toml(whole), encoding="utf-8")
    assert config.read(Whole, [file]) == whole
    assert config.from_dict(Whole, json.loads(json.dumps(config.to_dict(whole)))) == whole
    assert tomllib.loads(config.to_toml(whole)) == config.to_dict(whole)


def test_files_then_overrides(tmp_path):
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text('ratio = 1\n[model]\nunits = 5\n[model.attention]\nscore = "additive"\n')
    second.write_text("limit = 3\n[training]\nepochs = 7\n")
    overrides = ["model.units=9", "training.learning_rate=1", "name=a b", "shout=true"]
    overrides += ['files=["p", "q"]', "model.kind=rnn-attention", "limit=none"]
    assert config.read(Whole, [first, second], overrides) == Whole(
        name="a b",
        files=("p", "q"),
        ratio=1.0,
        shout=True,
        model=Recurrent("rnn-attention", 9, Attention("additive")),
        training=TrainingConfig(epochs=7, learning_rate=1.0),
    )


@pytest.mark.parametrize("text", ["1e3", "2026-03-03", "true", "none", "a=b", "[x]", ""])
def test_a_text_needs_no_quotes(text):
    assert config.read(Whole, [], [f"name={text}"]).name == text
    assert config.read(Whole, [], [f'name="{text}"']).name == text


def test_the_kind_chooses_the_class():
    chosen = config.read(Whole, [], ["model.kind=transformer", "model.width=8"])
    assert chosen.model == Transformer(width=8)


@pytest.mark.parametrize(
    "override, message",
    [
        ("training.epoch=3", "--set training.epoch=3: unknown key training.epoch; did you mean"),
        ("zzz=3", "unknown key zzz; there is name, files"),
        ("training.epochs=3.5", "training.epochs must be a whole number, not 3.5"),
        ("training.epochs=true", "training.epochs must be a whole number, not true"),
        ("training.optimizer=sgd", 'training.optimizer must be one of adam, adamw, not "sgd"'),
        ("training=3", "training must be a table with seed"),
        ("shout=1", "shout must be true or false, not 1"),
        ("files=a", 'files must be a list, as ["a", "b"], not "a"'),
        ("files=[1]", "files must be a text, not 1"),
        ("model.kind=rn", 'model.kind must be one of rnn, rnn-attention, transformer, not "rn"'),
        ("model.width=3", "unknown key model.width"),
        ("units", "write it as section.key=value"),
        (
            "training.epochs=0",
            "=0: training.epochs must be a whole number from 1 to 1,000,000",
        ),
        ("training.learning_rate=1e400", "must be a number above 0, not inf"),
        (f"training.learning_rate={10**400}", "training.learning_rate must be a number, not 1000"),
        (f"training.epochs={'9' * 5000}", "training.epochs must be a whole number"),
        ("training.ema=1", "training.ema must be a number of at least 0 and below 1, not 1"),
        ("training.weight_decay=0.1", "training.weight_decay must be 0 unless optimizer is adamw"),
    ],
)
def test_faults_in_overrides(override, message):
    with pytest.raises(UserError) as caught:
        config.read(Whole, [], [override])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text, message",
    [
        ("name = 3", "c.toml:1: name must be a text, not 3"),
        ("[training]\nepochs = 3\nepoch = 4\n", "c.toml:3: unknown key training.epoch; did you"),
        ("ratio = 1\n\n[model.attention]\nheads = 'x'\n", "c.toml:4: model.attention.heads must"),
        ("a = 1\nb = = 2\n", "c.toml:2: not valid TOML: Invalid value"),
        ("a = [1,\n", "c.toml:1: not valid TOML"),
        ("[trainin]\n", "c.toml:1: unknown key trainin; did you mean training"),
        ("[training]\nema = -1\n", "c.toml:2: training.ema must be a number of at least 0"),
        (f"ratio = {'9' * 5000}\n", "c.toml: cannot read the configuration: a number has too many"),
        (f"a = {'[' * 5000}{']' * 5000}\n", "too deep"),
    ],
)
def test_faults_in_files(tmp_path, text, message):
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        config.read(Whole, [file])
    assert message in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="cannot read the configuration: No such file"):
        config.read(Whole, [tmp_path / "none.toml"])
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe4'")
    with pytest.raises(UserError, match="not UTF-8"):
        config.read(Whole, [tmp_path / "latin.toml"])


def test_a_mark_of_utf_8_at_the_beginning_is_no_text(tmp_path):
    (tmp_path / "c.toml").write_bytes(b'\xef\xbb\xbfname = "y"\r\n')
    assert config.read(Whole, [tmp_path / "c.toml"]).name == "y"


def test_a_name_that_is_not_utf_8_cannot_be_written():
    with pytest.raises(UserError, match="udce9.tsv' is not UTF-8"):
        config.to_toml(Whole(files=("caf\udce9.tsv",)))


def test_differences():
    old = config.to_dict(Whole(limit=3))
    new = config.to_dict(
        dataclasses.replace(Whole(), name="y", model=Recurrent(attention=Attention("additive")))
    )
    assert config.list_changes(old, old) == []
    assert config.list_changes(old, new) == [
        'name is "y", was "x"',
        "limit is not set, was 3",
        'model.attention.score is "additive", was "dot"',
    ]
    assert config.list_changes(new, old)[-1] == "limit is 3, was not set"


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 3000 + "]" * 3000, "epochs = " + "9" * 5000, "a." * 3000 + "b = 1"],
    ids=["deep", "long", "dots"],
)
def test_what_is_beyond_measure_is_refused(text, tmp_path):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UserError, match=r"a\.toml"):
        config.read(TrainingConfig, [tmp_path / "a.toml"])
    with pytest.raises(UserError, match="--set"):
        config.read(TrainingConfig, [], [text.replace(" = ", "=")])


def test_a_pipe_is_no_configuration(tmp_path):
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(UserError, match="it is no file"):
        config.read(TrainingConfig, [tmp_path / "a.toml"])
