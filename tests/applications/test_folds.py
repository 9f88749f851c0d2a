"""Cross-validation: what is trained on, what is measured, and how it goes on."""

import importlib
import json
import re
from types import SimpleNamespace

import pytest

import kerasseq
import kerasseq.config
from kerasseq.applications.common import training
from kerasseq.applications.common.folds import summarize_folds
from kerasseq.cli import main
from kerasseq.data import ListCorpus
from kerasseq.data.splitting import split_into_folds
from kerasseq.errors import UserError
from tests.thorough import thorough

# Before a test replaces the training that these are made of.
for head in ("translation", "speech_recognition", "captioning"):
    importlib.import_module(f"kerasseq.applications.{head}.training")

WORDS = "one two three four five six seven eight".split()
SMALL = (
    *("model.embedding=8", "model.units=12", "training.max_steps=2", "training.batch_tokens=64"),
    *("tokenizer.kind=char", "decoding.beam=1"),
)


@pytest.fixture
def pairs(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"{a} {b}\t{b} {a}\n" for a in WORDS for b in WORDS[:4]))
    return file


def command(pairs, output, *more, folds=2):
    chosen = [word for setting in SMALL for word in ("--set", setting)]
    files = ["--train", str(pairs), "--output", str(output), "--model", "rnn"]
    return ["train", "translation", *files, *chosen, "--folds", str(folds), *more]


def test_folds_are_even_and_no_group_is_in_two():
    corpus = ListCorpus([(WORDS[i % 8], f"{i}") for i in range(33)])
    cuts = split_into_folds(corpus, 3, seed=1)
    folds = [list(fold) for _, fold in cuts]
    assert sorted(pair for fold in folds for pair in fold) == sorted(corpus)
    assert sorted(map(len, folds)) == [9, 12, 12]
    for rest, fold in cuts:
        assert not {pair[0] for pair in rest} & {pair[0] for pair in fold}
        assert len(list(rest)) + len(list(fold)) == 33
    shuffled = ListCorpus(list(corpus)[::-1])
    again = [sorted(fold) for _, fold in split_into_folds(shuffled, 3, seed=1)]
    assert again == list(map(sorted, folds))
    with pytest.raises(UserError, match="33 pairs with 8 different sources make no 9 folds"):
        split_into_folds(corpus, 9)


def test_the_interval_of_a_mean():
    figures = summarize_folds([{"WER": 10.0}, {"WER": 12.0}, {"WER": 14.0}])
    assert figures == {"WER": {"mean": 12.0, "low": 7.0317, "high": 16.9683}}


@thorough
def test_folds_are_measured_and_a_model_is_trained_on_all(pairs, tmp_path, capsys):
    output = tmp_path / "folds"
    assert main(command(pairs, output)) == 0
    said = capsys.readouterr().out
    assert (
        "2 folds of pairs.tsv by source text (32), and one model on all of it: 3 trainings" in said
    )
    state = json.loads((output / "folds.json").read_text())
    assert [row["pairs"] for row in state["results"]] == [16, 16]
    scores = [row["scores"]["chrF"] for row in state["results"]]
    assert state["figures"]["chrF"]["mean"] == pytest.approx(sum(scores) / 2, abs=1e-3)
    assert "Mean of 2 folds" in said and "trained on 50 % of these pairs" in said
    assert (output / "fold-1" / "model.keras").exists()
    assert kerasseq.load(output / "all").card["pairs"] > 16


class Recorder:
    """Stands in for the training, and fails at a fold."""

    def __init__(self):
        self.calls, self.fails_at = [], 0

    def __call__(self, kind, read_parts, config, run, resume, *, parts, data_dir, say):
        if self.fails_at and len(self.calls) + 1 == self.fails_at:
            raise UserError("the loss is nan")
        run.mkdir(parents=True, exist_ok=True)
        (run / "config.toml").write_text(kerasseq.config.to_toml(config))
        self.calls.append((run.name, parts))
        card = {"steps": 2, "validation": {"loss": 1.0}, "test": {"BLEU": 10.0 * len(self.calls)}}
        return SimpleNamespace(card=card)


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(training, "train", recorder)
    return recorder


def test_a_fold_chooses_weights_on_none_of_what_it_measures(pairs, tmp_path, recorder):
    assert main(command(pairs, tmp_path / "folds", folds=4)) == 0
    every = {tuple(line.split("\t")) for line in pairs.read_text().splitlines()}
    tests = []
    for name, parts in recorder.calls[:-1]:
        train, valid, test = (set(part) for part in (parts.train, parts.valid, parts.test))
        assert name.startswith("fold-") and len(test) == 8 and valid
        assert not train & test and not valid & test and not train & valid
        assert train | valid | test == every
        tests += test
    assert set(tests) == every
    name, parts = recorder.calls[-1]
    assert name == "all" and parts.test is None and set(parts.train) | set(parts.valid) == every


def test_folds_go_on_where_they_were_cut_off(pairs, tmp_path, recorder, capsys):
    output = tmp_path / "folds"
    recorder.fails_at = 2
    assert main(command(pairs, output, folds=3)) == 2
    assert main(command(pairs, output, folds=3)) == 2
    assert "go on with them by --resume" in capsys.readouterr().err
    assert main(command(pairs, output, "--resume", folds=4)) == 2
    assert "has 3 folds, not 4" in capsys.readouterr().err
    assert main(command(pairs, output, "--resume", "--set", "training.seed=3", folds=3)) == 2
    assert "training.seed is 3, was 1" in capsys.readouterr().err
    recorder.fails_at = 0
    assert main(command(pairs, output, "--resume", folds=3)) == 0
    assert [name for name, _ in recorder.calls] == ["fold-1", "fold-2", "fold-3", "all"]
    lines = (output / "folds.json").read_text().splitlines()
    assert sum(bool(re.match(r' +\{"fold": \d', line)) for line in lines) == 3
    pairs.write_text(pairs.read_text() + "nine\tnine\n")
    assert main(command(pairs, output, "--resume", folds=3)) == 2
    assert "the examples have changed" in capsys.readouterr().err
    recorder.calls.clear()
    assert main(command(pairs, output, "--overwrite", folds=2)) == 0
    assert [name for name, _ in recorder.calls] == ["fold-1", "fold-2", "all"]
    assert {path.name for path in output.iterdir()} == {"folds.json", "fold-1", "fold-2", "all"}


def test_no_speaker_is_in_two_folds(tmp_path, recorder, capsys):
    lines = [["path", "text", "speaker"]]
    for index in range(12):
        (tmp_path / f"{index}.wav").touch()
        lines.append([f"{index}.wav", WORDS[index % 8], f"s{index % 3}"])
    file = tmp_path / "list.tsv"
    file.write_text("".join("\t".join(line) + "\n" for line in lines))
    words = ["train", "speech-recognition", "--train", str(file), "--output", str(tmp_path / "f")]
    assert main([*words, "--folds", "4"]) == 2
    assert "3 speakers make no 4 folds" in capsys.readouterr().err
    assert not (tmp_path / "f").exists()
    assert main([*words, "--folds", "3"]) == 0
    for _, parts in recorder.calls[:-1]:
        speakers = [{one.speaker for one in part} for part in (parts.train, parts.test)]
        assert len(speakers[1]) == 1 and not speakers[0] & speakers[1]
        assert not {one.speaker for one in parts.valid} & speakers[1]
    assert "by speaker (3)" in capsys.readouterr().out


@pytest.mark.parametrize("folds", [1, 0, -3])
def test_one_fold_is_none(pairs, tmp_path, capsys, folds):
    assert main(command(pairs, tmp_path / "folds", folds=folds)) == 2
    assert f"--folds must be at least 2, not {folds}" in capsys.readouterr().err
