"""Where a run's data and its first weights come from, and what a model remembers of it."""

import json

import numpy as np
import pytest
import soundfile

import kerasseq
from kerasseq import config
from kerasseq.applications import captioning, speech_recognition, translation
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.starting import describe_origins
from kerasseq.applications.translation.report import report
from kerasseq.cli import main
from kerasseq.data import ListCorpus
from kerasseq.errors import UserError
from kerasseq.training import Run
from tests import squares, tones

PRESETS = {
    "translation": (translation, "multi30k-en-de"),
    "speech-recognition": (speech_recognition, "an4-ctc"),
    "captioning": (captioning, "emoji-scenes"),
}


def set_of(*settings):
    return [word for setting in settings for word in ("--set", setting)]


@pytest.mark.parametrize(
    ("head", "given", "words"),
    [
        ("translation", ["model.units=9"], "brings its own [model]"),
        ("translation", ["model.dropout=0.1"], "brings its own [model]"),
        ("translation", ["tokenizer.kind=char"], 'has "unigram"'),
        ("translation", ["tokenizer.vocabulary_size=8000"], "is 8000, but multi30k-en-de"),
        ("translation", ["tokenizer.shared=false"], "has true"),
        ("translation", ["training.encoder_from=an4-ctc"], "training.encoder_from has no effect"),
        ("speech-recognition", ["sound.rate=8000"], "is 8000, but an4-ctc"),
        ("speech-recognition", ["sound.time_masks=7"], "is 7, but an4-ctc"),
        ("speech-recognition", ["sound.warp=0.1"], "sound.warp is 0.1"),
        ("speech-recognition", ["sound.margin=9"], "sound.margin is 9, but an4-ctc"),
        ("speech-recognition", ["tokenizer.kind=word"], 'has "char"'),
        ("speech-recognition", ["model.encoder.units=9"], "brings its own [model]"),
        ("captioning", ["pictures.size=32"], "is 32, but emoji-scenes"),
        ("captioning", ["tokenizer.max_length=7"], "tokenizer.max_length is 7"),
        ("captioning", ["model.encoder.kind=backbone"], "brings its own [model]"),
    ],
)
def test_what_contradicts_the_model_to_start_from_is_refused(head, given, words, tmp_path, capsys):
    files = ["--train", str(tmp_path / "list.tsv"), "--output", str(tmp_path / "run")]
    begin = ["train", head, *files, "--start-from", PRESETS[head][1]]
    assert main([*begin, *set_of(*given)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.startswith(f"kerasseq: --set {given[0]}: ")
    assert not (tmp_path / "run").exists()


def test_a_file_may_name_the_model_to_start_from_too(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('[training]\nstart_from = "multi30k-en-de"\n[model]\nkind = "rnn"\n')
    with pytest.raises(UserError, match="mine.toml:4: model.kind cannot be set"):
        translation.configure({"train": ["a.tsv"]}, None, str(mine), [])


def test_what_agrees_with_the_model_to_start_from_is_taken_and_left_out_of_the_file():
    start = ["training.start_from=an4-ctc", "sound.speeds=[1.0]"]
    whole = speech_recognition.configure({"dataset": "an4"}, None, None, start)
    assert whole.sound.speeds == (1.0,)
    text = config.to_toml(whole)
    assert 'start_from = "an4-ctc"' in text and "speeds = [1.0]" in text
    assert not any(name in text for name in ("[model", "mels", "vocabulary_size", "time_masks"))
    agreed = ["sound.rate=16000", "tokenizer.kind=char"]
    assert speech_recognition.configure({"dataset": "an4"}, None, None, [*start, *agreed]) == whole


def test_the_whole_configuration_of_a_model_agrees_with_it():
    start = ["training.start_from=multi30k-en-de"]
    preprocessor = kerasseq.load("multi30k-en-de").preprocessor
    plain = [f"tokenizer.normalization={json.dumps(list(preprocessor.steps))}"]
    data = {"dataset": "multi30k"}
    whole = translation.configure(data, None, "multi30k-transformer", [*start, *plain])
    assert whole.training.epochs == 90
    with pytest.raises(UserError, match="model.kind cannot be set"):
        translation.configure(data, None, "multi30k-rnn", start)


def test_the_command_line_replaces_the_data_of_a_configuration(tmp_path):
    whole = speech_recognition.configure({"train": ["a.tsv"]}, None, "fsdd", [])
    assert (whole.data.dataset, whole.data.train) == ("", ("a.tsv",)) and whole.sound.rate == 8000
    mine = tmp_path / "mine.toml"
    mine.write_text('[data]\ntrain = ["b.tsv"]\nvalid = ["v.tsv"]\ntest = ["t.tsv"]\n')
    for more in ({"train": ["a.tsv"]}, {"dataset": "an4"}):
        data = speech_recognition.configure(more, None, str(mine), []).data
        assert data.valid == data.test == () and (data.train, data.dataset) == (
            tuple(more.get("train", ())),
            more.get("dataset", ""),
        )
    kept = speech_recognition.configure({"test": ["u.tsv"]}, None, str(mine), []).data
    assert (kept.train, kept.valid, kept.test) == (("b.tsv",), ("v.tsv",), ("u.tsv",))
    by_set = speech_recognition.configure({}, None, "fsdd", ['data.train=["c.tsv"]']).data
    assert (by_set.train, by_set.dataset) == (("c.tsv",), "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["translation", "--dataset", "an4"], "an4 is sound: use it with `kerasseq train speech"),
        (["captioning", "--dataset", "multi30k"], "use it with `kerasseq train translation`"),
        (["translation", "--start-from", "an4-ctc", "--train", "P"], "an4-ctc reads sound"),
        (["speech-recognition", "--start-from", "emoji-scenes"], "emoji-scenes reads picture"),
        (["translation", "--train", "P", "--data-dir", "x"], "--data-dir is where data sets are"),
        (["translation", "--train", "P", "--test", "E"], "there is nothing"),
        (["translation", "--train", "P", "--valid", "E"], "there is nothing"),
        (["translation", "--train", "E"], "there is nothing"),
        (["captioning", "--images", "x"], "--images: data.images has no effect"),
        (["translation", "--train", "P", "--resume", "--overwrite"], "choose one"),
        (["translation", "--start-from", "multi30k-en-de", "--model", "rnn"], "leave out --model"),
        (["translation", "--train", "P", "--set", "data.valid_size=3", "--valid", "P"], "--valid"),
        (
            ["speech-recognition", "--train", "L", *set_of("training.label_smoothing=0.1")],
            "no such",
        ),
        (
            [*("speech-recognition", "--train", "L", "--model", "attention")]
            + set_of("decoding.beam=2", "decoding.length_bonus=1"),
            "decoding.length_bonus is for CTC and transducers",
        ),
        (
            [*("speech-recognition", "--train", "L", "--start-from", "an4-ctc")]
            + set_of("decoding.ctc_weight=0.5"),
            "decoding.ctc_weight is not for a CTC",
        ),
        (["speech-recognition", "--train", "L", "--test", "B"], "No example can be read"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_no_folder(arguments, words, tmp_path, capsys):
    (tmp_path / "P").write_text("".join(f"a {i}\tb {i}\n" for i in range(40)))
    (tmp_path / "P").rename(tmp_path / "P.tsv")
    (tmp_path / "E.tsv").write_text("")
    for index, (sound, _) in enumerate(zip(*tones.recordings(4, 1), strict=True)):
        soundfile.write(tmp_path / f"{index}.wav", sound, 16000)
    (tmp_path / "L.tsv").write_text("".join(f"{index}.wav\tlo\n" for index in range(4)))
    (tmp_path / "bad.wav").write_bytes(b"RIFF no sound")
    (tmp_path / "B.tsv").write_text("bad.wav\tlo\n")
    named = {name: str(tmp_path / f"{name}.tsv") for name in "PELB"}
    output = ["--output", str(tmp_path / "runs" / "one")]
    assert main(["train", *(named.get(word, word) for word in arguments), *output]) == 2
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error
    assert not (tmp_path / "runs").exists()


def test_what_a_model_began_with_is_remembered():
    preset = {"data": "Multi30k", "licence": "non-commercial research"}
    mine = {"data": "mine.tsv", "licence": "that of your own data"}
    first = describe_origins(mine, {"multi30k-en-de": preset})
    assert first == {
        "began_with": "multi30k-en-de (Multi30k; non-commercial research)",
        "licence": "non-commercial research (of multi30k-en-de), and that of your own data",
    }
    second = describe_origins(mine, {"runs/a": {**mine, **first}})
    assert second["licence"] == first["licence"]
    assert "which began with multi30k-en-de" in second["began_with"]
    assert describe_origins(mine, {}) == {}
    assert describe_origins(preset, {"a": preset})["licence"] == "non-commercial research"
    assert describe_origins(mine, {"a": mine})["licence"] == "that of your own data"
    both = describe_origins(mine, {"a": preset, "b": {"licence": "CC BY"}})
    assert both["licence"] == (
        "CC BY (of b), and non-commercial research (of a), and that of your own data"
    )


def test_the_report_names_commands_that_fit(tmp_path):
    data = {"train": ["a.tsv"], "source": "en", "target": "ja"}
    model = kerasseq.load("multi30k-en-de")
    pairs = ListCorpus([("A man.", "Ein Mann.")])
    parts = Parts(pairs, pairs, None, "pairs")
    for target, named in (("ja", False), ("de", True)):
        said = []
        model.card = {**model.card, "source": "en", "target": target}
        run = Run(tmp_path / target, translation.configure(data))
        report(model, parts, run, {}, said.append)
        run.close()
        assert ("multi30k-en-de" in "\n".join(said)) == named


def test_the_test_part_is_measured_as_evaluate_does(tmp_path, capsys):
    """A recording that is too long to train on is measured too."""
    lines = []
    for index, (sound, text) in enumerate(zip(*tones.recordings(12, 1), strict=True)):
        soundfile.write(tmp_path / f"{index}.wav", sound, tones.RATE)
        lines.append(f"{index}.wav\t{text}\n")
    (tmp_path / "train.tsv").write_text("".join(lines))
    soundfile.write(tmp_path / "long.wav", np.tile(sound, 12), tones.RATE)
    (tmp_path / "test.tsv").write_text(lines[0] + f"long.wav\t{' '.join([text] * 12)}\n")
    settings = [*tones.SETTINGS, "training.max_steps=3", "data.max_seconds=3"]
    settings += ["training.learning_rate=0.01", "model.encoder.units=8"]
    lists = [word for part in ("train", "test") for word in (f"--{part}", f"{tmp_path}/{part}.tsv")]
    output = str(tmp_path / "run")
    assert (
        main(["train", "speech-recognition", *lists, *set_of(*settings), "--output", output]) == 0
    )
    found = kerasseq.load(output).card["test"]
    capsys.readouterr()
    assert main(["evaluate", output, "--data", f"{tmp_path}/test.tsv", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["recordings"] == 2
    assert found == {rate["name"]: round(rate["value"], 2) for rate in row["rates"]}


def test_images_are_where_lists_have_their_pictures(tmp_path):
    (tmp_path / "pictures").mkdir()
    squares.write(tmp_path / "pictures", 4).rename(tmp_path / "list.tsv")
    data = {"train": [str(tmp_path / "list.tsv")], "images": str(tmp_path / "pictures")}
    from kerasseq.applications.captioning.parts import read_parts

    parts = read_parts(captioning.configure({**data, "valid": data["train"]}).data)
    assert len(list(parts.train)) == 4
