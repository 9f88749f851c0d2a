"""The settings that rules choose from the data."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.applications import captioning, speech_recognition, translation
from kerasseq.applications.common import rules
from kerasseq.applications.common.auto import choose
from kerasseq.applications.common.configuration import AUTO
from kerasseq.cli import main
from kerasseq.config import from_dict, get_setting, list_keys, to_dict
from kerasseq.data import ListCorpus, survey
from kerasseq.data.pictures.facts import PictureFacts
from kerasseq.data.sound.facts import SoundFacts
from kerasseq.errors import UserError
from tests.thorough import thorough

STARTS = ("training.start_from", "training.encoder_from")
CONFIGS = {
    "text": translation.TranslationConfig,
    "sound": speech_recognition.SpeechConfig,
    "picture": captioning.CaptioningConfig,
}


def find_nothing(chosen):
    return ()


@pytest.fixture(autouse=True)
def no_presets(monkeypatch):
    monkeypatch.setattr(rules, "list_presets", dict)


@pytest.fixture
def digits(tmp_path):
    """Forty recordings of half a second: ten words, four times each."""
    words = "zero one two three four five six seven eight nine".split()
    lines = []
    for number in range(40):
        soundfile.write(tmp_path / f"{number}.wav", np.zeros(4000, "int16"), 8000)
        lines.append(f"{number}.wav\t{words[number % 10]}\n")
    (tmp_path / "list.tsv").write_text("".join(lines))
    return {"train": [str(tmp_path / "list.tsv")], "valid": [str(tmp_path / "list.tsv")]}


def write_pairs(path, rows):
    path.write_text("".join(f"{source}\t{target}\n" for source, target in rows))
    return {"train": [str(path)]}


def test_a_few_words_that_come_often_are_units(digits):
    plan = speech_recognition.plan(digits, None, AUTO)
    assert plan.config.tokenizer.kind == "word" and plan.config.model.kind == "ctc"
    assert plan.config.sound.rate == 8000
    assert plan.lines[0] == "Units    10 words, each of which comes often; it writes no other word"
    assert len(list(plan.parts.train)) == 40


def test_characters_are_searched_with_a_model_of_the_transcripts(digits):
    by_words = speech_recognition.configure(digits, None, AUTO)
    assert (by_words.tokenizer.language_model, by_words.decoding.beam) == (0, 1)
    spelled = speech_recognition.configure(digits, None, AUTO, ["tokenizer.kind=char"])
    assert (spelled.tokenizer.language_model, spelled.decoding.beam) == (4, 10)
    assert (spelled.decoding.lm_weight, spelled.decoding.length_bonus) == (0.8, 1.0)
    hybrid = speech_recognition.configure(digits, "hybrid", AUTO, ["tokenizer.kind=char"])
    assert hybrid.tokenizer.language_model == 0


def test_the_warm_up_is_a_part_of_the_training(digits):
    training = speech_recognition.configure(digits, None, AUTO).training
    # 20 seconds in batches of 4 seconds.
    assert training.batch_seconds == 4.0
    assert training.warm_up == 0.1 and training.epochs > 10
    lines = speech_recognition.plan(digits, None, AUTO).lines
    assert any("rate 0.002 after 10% of it" in line for line in lines)
    lines = speech_recognition.plan(digits, None, AUTO, ["training.warm_up=30"]).lines
    assert any("rate 0.002 after 30 updates" in line for line in lines)


def test_what_is_given_is_not_changed(digits):
    settings = ["tokenizer.kind=char", "training.epochs=3", "training.average_last=2"]
    config = speech_recognition.configure(digits, None, AUTO, settings)
    assert (config.tokenizer.kind, config.training.epochs) == ("char", 3)
    assert (config.training.average_last, config.training.ema) == (2, 0.0)


def test_every_setting_that_is_chosen_is_the_run_s(digits, tmp_path):
    """What a rule switches on has its effect, and what something given switches off is left."""
    rows = [(f"a man walks {n} dogs", f"ein mann führt {n} hunde") for n in range(100)]
    pairs = write_pairs(tmp_path / "pairs.tsv", rows)
    for head, data, given_one in (
        (speech_recognition, digits, []),
        (speech_recognition, digits, ["tokenizer.kind=char"]),
        (translation, pairs, []),
    ):
        plan = head.plan(data, None, AUTO, given_one)
        given_values = {"tokenizer.kind": "char"} if given_one else {}
        chosen = choose(survey(plan.parts.train), given_values, find_nothing).settings
        assert {key: get_setting(plan.config, key) for key in chosen} == {
            key: tuple(value) if isinstance(value, list) else value for key, value in chosen.items()
        }
    config = speech_recognition.configure(digits, None, AUTO, ["sound.time_masks=0"])
    assert config.sound.time_width == type(config.sound)().time_width


def test_a_named_model_keeps_its_own_section(digits):
    plan = speech_recognition.plan(digits, "hybrid", AUTO)
    own = speech_recognition.configure(digits, None, "hybrid")
    assert plan.config.model == own.model
    assert plan.config.training.label_smoothing == own.training.label_smoothing == 0.1
    assert plan.config.training.warm_up < own.training.warm_up
    assert not any(line.startswith("Model") for line in plan.lines)


def test_a_named_encoder_keeps_its_own_section(digits):
    config = speech_recognition.configure(digits, None, AUTO, ["model.encoder.kind=lstm"])
    assert config.model.encoder == type(config.model.encoder)()


def test_a_named_configuration_is_taken_as_it_is(digits):
    plan = speech_recognition.plan(digits, None, "ctc")
    assert (plan.config.training.warm_up, plan.config.tokenizer.kind) == (500, "char")
    assert plan.lines == [] and plan.parts is None


def test_a_preset_that_writes_the_transcripts_is_the_start(digits, monkeypatch):
    monkeypatch.setattr(rules, "list_presets", lambda: {"english-base": None})
    facts = survey(speech_recognition.plan(digits, None, AUTO).parts.train)
    assert choose(facts, {}, find_nothing).settings["training.start_from"] == "english-base"
    for key, value in {"model.kind": "hybrid", "model.encoder.units": 8, "sound.mels": 80}.items():
        assert not {*STARTS} & {*choose(facts, {key: value}, find_nothing).settings}
    assert (
        choose(facts, {"sound.gain": 3.0}, find_nothing).settings["training.start_from"]
        == "english-base"
    )
    words = choose(facts, {"tokenizer.kind": "word"}, find_nothing).settings
    assert [words.get(key) for key in STARTS] == [None, "english-base"]
    own = [
        key
        for key in choose(facts, {}, find_nothing).settings
        if key.startswith(("model", "sound"))
    ]
    assert own == ["sound.speeds", "sound.gain"]  # the model brings the others
    accents = facts.__class__(
        **{**vars(facts), "target": survey(ListCorpus([("a", "très près")])).target}
    )
    assert choose(accents, {}, find_nothing).settings["training.encoder_from"] == "english-base"
    assert "training.start_from" not in choose(accents, {}, find_nothing).settings
    none = choose(facts, {"training.start_from": ""}, find_nothing).settings
    assert "training.start_from" not in none and none["model.kind"] == "ctc"


def test_without_data_auto_is_the_demonstration():
    plan = translation.plan({}, None, AUTO)
    assert plan.config == translation.configure({}) and plan.lines == []


def test_words_are_spelled_and_sentences_are_cut_in_pieces(tmp_path):
    words = write_pairs(tmp_path / "words.tsv", [(f"w{n}", f"W AH{n}") for n in range(50)])
    spelled = translation.configure(words, None, AUTO)
    assert (spelled.tokenizer.kind, spelled.model.kind) == ("char", "rnn-attention")
    rows = [(f"a man walks {n} dogs", f"ein mann führt {n} hunde") for n in range(100)]
    config = translation.configure(write_pairs(tmp_path / "pairs.tsv", rows), None, AUTO)
    assert (config.tokenizer.kind, config.tokenizer.vocabulary_size) == ("unigram", 200)
    assert (config.model.kind, config.model.encoder_layers) == ("transformer", 2)
    assert config.training.warm_up == 0.1


def test_usage_errors_come_before_the_data_are_read(tmp_path):
    missing = {"train": [str(tmp_path / "none.tsv")]}
    with pytest.raises(UserError, match="unknown key model.unit"):
        translation.plan(missing, None, AUTO, ["model.unit=3"])
    with pytest.raises(UserError, match="none.tsv"):
        translation.plan(missing, None, AUTO)


TEXTS = st.lists(
    st.tuples(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30)),
    min_size=1,
    max_size=20,
)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(list(CONFIGS)), st.integers(1, 10**7))
def test_rules_choose_valid_settings_for_any_data(pairs, kind, scale):
    facts = survey(ListCorpus(pairs))
    sound = SoundFacts(
        len(pairs), scale / 100, len(pairs), 0, scale / 100 / len(pairs), 9.0, {44100: 1}, 0, {}, ()
    )
    pictures = PictureFacts(len(pairs), len(pairs), 1.0, 1, 1, ())
    facts = facts.__class__(
        **{**vars(facts), "kind": kind, "sound": sound, "pictures": pictures, "examples": scale}
    )
    chosen = choose(facts, {}, find_nothing).settings
    nested: dict = {}
    for key, value in chosen.items():
        *parents, name = key.split(".")
        table = nested
        for parent in parents:
            table = table.setdefault(parent, {})
        table[name] = value
    config = from_dict(CONFIGS[kind], nested)
    assert set(chosen) <= set(list_keys(config))
    assert to_dict(from_dict(CONFIGS[kind], to_dict(config))) == to_dict(config)


@thorough
def test_a_run_that_goes_on_keeps_its_settings(tmp_path, capsys):
    """Although other data would have other settings: what has changed are the examples."""
    rows = [(f"a man walks {n} dogs", f"ein mann führt {n} hunde") for n in range(60)]
    data = write_pairs(tmp_path / "pairs.tsv", rows)["train"]
    small = ["model.width=8", "model.units=8", "model.heads=1", "training.max_steps=2"]
    settings = [word for one in small for word in ("--set", one)]
    command = ["train", "translation", "--train", *data, "--output", str(tmp_path / "run")]
    assert main([*command, *settings]) == 0
    assert "Units    200 pieces for" in capsys.readouterr().out
    before = (tmp_path / "run" / "config.toml").read_text()
    assert main([*command, *settings, "--resume"]) == 0
    assert "Units" not in capsys.readouterr().out
    assert (tmp_path / "run" / "config.toml").read_text() == before
    write_pairs(tmp_path / "pairs.tsv", rows[:50])
    assert main([*command, *settings, "--resume"]) == 2
    assert "changed" in capsys.readouterr().err
