"""The search of settings: its trials, what stops it, and what it leaves behind."""

import csv
import importlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from kerasseq.applications import captioning, speech_recognition, translation
from kerasseq.applications.common.tuning import trial as trial_module
from kerasseq.applications.common.tuning.space import sample, widen
from kerasseq.applications.common.tuning.study import Study
from kerasseq.cli import main
from kerasseq.config import find_unused, list_keys, read, refuse_unused
from kerasseq.training import Position
from tests.thorough import thorough

optuna = pytest.importorskip("optuna")

# Before a test replaces the training that these are made of.
for head in ("translation", "speech_recognition", "captioning"):
    importlib.import_module(f"kerasseq.applications.{head}.training")

WORDS = "one two three four five six seven eight".split()
SMALL = (
    *("model.embedding=8", "model.units=12", "model.layers=1", "training.max_steps=4"),
    *("training.validate_every=2", "training.batch_tokens=64", "tokenizer.kind=char"),
)


@pytest.fixture
def pairs(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"{a} {b}\t{b} {a}\n" for a in WORDS for b in WORDS))
    return file


def command(pairs, output, *more, trials=3):
    chosen = [word for setting in SMALL for word in ("--set", setting)]
    files = ["--train", str(pairs), "--output", str(output), "--model", "rnn-attention"]
    return ["tune", "translation", *files, *chosen, "--trials", str(trials), *more]


def table(output):
    with open(output / "trials.tsv", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def train_in_no_time(kind, read_parts, config, folder, *, resume, say, parts):
    """A training whose loss is known, in place of that of the head."""
    head = kind(config, parts)
    folder.mkdir(parents=True, exist_ok=True)
    loss = abs(math.log(config.training.learning_rate / 2e-3)) + config.model.dropout
    for step in (2, 4):
        best = {"step": step, "epoch": 1, "loss": loss + 1 / step}
        head.follow(Position(step=step, seconds=float(step), best=best), step / 4)
    (folder / "model.keras").touch()
    return SimpleNamespace(card={"validation": best, "steps": 4, "seconds": 4})


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(trial_module.training, "train", train_in_no_time)


def test_the_best_trial_is_a_configuration_for_train(pairs, tmp_path, capsys, quick):
    output = tmp_path / "search"
    assert main(command(pairs, output, trials=6)) == 0
    written = capsys.readouterr().out
    rows = table(output)
    assert [row["trial"] for row in rows] == list("012345")
    # What --set and --model name is not in the space, and the first trial is the base.
    assert not {"tokenizer.kind", "model.units", "model.kind"} & set(rows[0])
    assert float(rows[0]["training.learning_rate"]) == 2e-3
    assert "tokenizer.sampling" not in rows[0]  # characters have one segmentation
    best = min((row for row in rows if row["state"] == "complete"), key=lambda r: float(r["loss"]))
    assert [path.parent.name for path in output.glob("trials/*/model.keras")] == [best["trial"]]
    config = read(translation.TranslationConfig, [output / "best.toml"])
    assert config.model.dropout == pytest.approx(float(best["model.dropout"]), rel=0.01)
    assert config == translation.configure({}, None, str(output / "best.toml"), [])
    assert f"--config {output}/best.toml" in written and "loss of validation: 2.8" not in written
    assert {"trials.png", "trials.txt", "study.db"} <= {path.name for path in output.iterdir()}
    assert f"{best['trial']}*" in (output / "trials.txt").read_text()


def test_a_trial_that_fails_stops_nothing(pairs, tmp_path, monkeypatch):
    numbers = []

    def failing(*arguments, **options):
        numbers.append(len(numbers))
        if numbers[-1] == 1:
            raise RuntimeError("no memory\nmore")
        return train_in_no_time(*arguments, **options)

    monkeypatch.setattr(trial_module.training, "train", failing)
    assert main(command(pairs, tmp_path / "search")) == 0
    rows = table(tmp_path / "search")
    assert [row["state"] for row in rows] == ["complete", "failed", "complete"]
    assert rows[1]["error"] == "RuntimeError: no memory"


def test_an_interrupted_search_goes_on_in_the_same_run(pairs, tmp_path, capsys, monkeypatch):
    """Two real trainings, of which the first is interrupted."""
    output = tmp_path / "search"
    fine = trial_module.Follower.__call__

    def interrupted(self, position, share):
        fine(self, position, share)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(trial_module.Follower, "__call__", interrupted)
        assert main(command(pairs, output, trials=2)) == 130
    assert "Interrupted in trial 0, with 0 of 2 done" in capsys.readouterr().err
    assert main(command(pairs, output)) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(command(pairs, output, "--resume", "--set", "training.seed=7")) == 2
    assert "training.seed is 7, was 1" in capsys.readouterr().err
    assert main([*command(pairs, output, "--resume")[:-3], "--resume"]) == 0
    rows = table(output)
    assert [row["state"] for row in rows] == ["cut off", "complete", "complete"]
    assert {path.name for path in (output / "trials").iterdir()} == {"0", "2"}
    log = (output / "trials" / "0" / "log.jsonl").read_text().splitlines()
    steps = [row["step"] for row in map(json.loads, log) if row["kind"] == "valid"]
    assert steps == [2, 4]
    assert not (output / "data").exists() and not list(output.glob("trials/*/checkpoints"))
    assert len(list(output.glob("trials/*/model.keras"))) == 1


def test_poor_trials_end_early(pairs, tmp_path, monkeypatch, quick):
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: True)
    assert main(command(pairs, tmp_path / "search")) == 0
    rows = table(tmp_path / "search")
    assert [row["state"] for row in rows] == ["complete", "pruned", "pruned"]
    assert [row["steps"] for row in rows] == ["4", "2", "2"]


def test_the_better_metric_wins_and_the_loss_decides_among_equal_ones(tmp_path):
    study = Study(tmp_path, "wer", seed=1)
    study.add_base({})
    for wer, loss, units in ((9.0, 0.5, 1), (5.0, 0.9, 1), (5.0, 0.1, 2), (5.0, 0.7, 1)):
        trial = study.begin(9)
        trial.suggest_int("units", units, units)
        study.finish(trial, {"wer": wer, "loss": loss}, steps=1, seconds=1.0)
    rows = study.rows()
    assert study.find_best(rows, lambda one, other: True).number == 2
    # Losses of other units cannot be compared.
    alike = lambda one, other: one.values == other.values  # noqa: E731
    assert study.find_best(rows, alike).number == 3


@thorough
def test_two_searches_share_the_trials_and_outlive_a_kill(pairs, tmp_path):
    script = (
        "import sys, time; from tests.applications import test_tuning as t; from kerasseq.cli "
        "import main\n"
        "def slow(*a, **k):\n"
        "    time.sleep(float(sys.argv[1])); return t.train_in_no_time(*a, **k)\n"
        "t.trial_module.training.train = slow\n"
        "sys.exit(main(sys.argv[2:]))"
    )
    output = tmp_path / "search"

    def start(seconds, *more):
        words = [sys.executable, "-c", script, seconds, *command(pairs, output, *more, trials=8)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    first = start("1000")
    while not (output / "trials.tsv").exists() and first.poll() is None:
        if (output / "study.db").exists() and Study(output, "loss", 1).rows():
            break
        time.sleep(0.2)
    first.kill()
    first.communicate()
    both = [start("0.5", "--resume"), start("0.5", "--resume")]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    rows = table(output)
    states = [row["state"] for row in rows]
    assert states[0] == "cut off" and len(rows) == 9
    assert set(states[1:]) <= {"complete", "pruned"}
    counts = [err.count("\ntrial ") + err.startswith("trial ") for _, err in said]
    assert sum(counts) == 8 and min(counts) >= 1


def test_data_that_cannot_be_read_end_the_search_before_it_begins(tmp_path, capsys):
    (tmp_path / "bad.tsv").write_text("no pair\n")
    assert main(command(tmp_path / "bad.tsv", tmp_path / "search")) == 2
    assert "bad.tsv" in capsys.readouterr().err
    assert not (tmp_path / "search").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--trials", "0"], "--trials must be at least 1"),
        (["--minutes", "0"], "--minutes must be a number above 0"),
        (["--minutes", "1", "--set", "training.max_minutes=2"], "leave out one of them"),
        (["--set", "training", "--set", "model"], "write it as section.key=value"),
    ],
)
def test_mistakes_end_in_one_sentence(pairs, tmp_path, capsys, more, words):
    assert main(command(pairs, tmp_path / "search", *more)) == 2
    assert words in capsys.readouterr().err


def test_without_optuna_one_sentence_says_what_to_install(pairs, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(command(pairs, tmp_path / "search")) == 2
    assert 'pip install "kerasseq[tune]"' in capsys.readouterr().err


HEADS = (translation, speech_recognition, captioning)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.__name__.rpartition(".")[2])
def test_each_setting_of_a_space_is_one_of_the_head(head):
    """Each is drawn for some kind of model, within its bounds, and only where it has an effect."""
    _, _, configure, space = head.tune.args
    bases = {name: configure({}, name) for name in space.kinds}
    base = bases[space.kinds[0]]
    settings, drawn = widen(space.settings, base), set()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(40):
        trial = study.ask()
        config = sample(trial, bases, settings)
        refuse_unused(config)
        used = set(list_keys(config)) - set(find_unused(config))
        assert set(trial.params) <= used
        drawn |= set(trial.params)
    conditional = {one.key for one in space.settings if getattr(one, "where", None)}
    assert {one.key for one in space.settings} - conditional <= drawn
