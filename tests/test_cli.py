"""The command line as a user meets it, on data small enough to train in seconds."""

import gzip
import json
import os
import shlex
import subprocess
import sys

import pytest

import kerasseq
from kerasseq.applications.translation.report import _quote_argument
from kerasseq.cli import main, make_parser
from tests.thorough import thorough

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}
PAIRS = [
    (f"{a} {b}", f"{NUMBERS[a]} {NUMBERS[b]}") for a in NUMBERS for b in NUMBERS for _ in range(8)
]
SMALL = (
    *("model.width=32", "model.units=64", "model.encoder_layers=1", "model.decoder_layers=1"),
    *("model.heads=2", "model.dropout=0.0", "tokenizer.kind=word", "training.batch_tokens=128"),
    *("training.schedule=constant", "training.learning_rate=0.005", "training.epochs=40"),
    *("training.ema=0", "data.valid_size=3"),
)


def settings(*values):
    return [part for value in (*SMALL, *values) for part in ("--set", value)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    lines = [f"{source}\t{target}\n" for source, target in PAIRS]
    (folder / "pairs.tsv").write_text("".join([*lines, "no target\n", "\t\n"]), encoding="utf-8")
    (folder / "source.txt").write_text("one two\n\nfive\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(folder):
    arguments = ["train", "translation", "--train", str(folder / "pairs.tsv")]
    assert main([*arguments, "--output", str(folder / "run"), *settings()]) == 0
    return str(folder / "run")


def test_train_leaves_a_run(run):
    names = {"config.toml", "log.jsonl", "curves.png", "attention.png", "model.keras"}
    assert names <= set(os.listdir(run))


def test_train_names_the_lines_it_leaves_out(folder, capsys):
    arguments = ["train", "translation", "--train", str(folder / "pairs.tsv")]
    arguments += ["--output", str(folder / "other"), *settings("training.max_steps=1")]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "pairs.tsv:201: " in shown and "2 left out" in shown
    assert " training pairs repeat others, which so count several times." in shown


def test_generate_learned_the_words(run, capsys):
    assert main(["generate", run, "two five", "three one"]) == 0
    assert capsys.readouterr().out == "zwei fünf\ndrei eins\n"


def test_generate_keeps_lines_in_order_and_empty_ones_empty(run, folder, capsys):
    output = folder / "out.txt"
    assert (
        main(["generate", run, "--input", str(folder / "source.txt"), "--output", str(output)]) == 0
    )
    lines = output.read_text(encoding="utf-8").split("\n")
    assert lines[0] == "eins zwei" and lines[1] == "" and lines[2] != "" and len(lines) == 4


def test_generate_keeps_the_files_that_it_cannot_use(run, tmp_path, capsys):
    kept = tmp_path / "kept.txt"
    kept.write_text("one two\n", encoding="utf-8")
    missing = str(tmp_path / "missing.txt")
    assert main(["generate", run, "--input", str(kept), "--output", str(kept)]) == 2
    assert "choose another file" in capsys.readouterr().err
    assert main(["generate", run, "--input", missing, "--output", str(kept)]) == 2
    assert "missing.txt" in capsys.readouterr().err
    assert kept.read_text(encoding="utf-8") == "one two\n"


def test_generate_takes_options_wherever_they_stand(run, capsys):
    for arguments in (
        [run, "one two", "three four", "--beam", "2"],
        [run, "one two", "--beam", "2", "three four"],
        ["--beam", "2", run, "one two", "--", "three four"],
        [run, "one two", "--max-length", "9", "--beam", "2", "--", "three four"],
    ):
        assert main(["generate", *arguments]) == 0
        assert capsys.readouterr().out == "eins zwei\ndrei vier\n"
    for wrong in (["generate", run, "--bema", "2", "one"], ["info", run, "--json", "more"]):
        with pytest.raises(SystemExit):
            main(wrong)
        assert "unrecognized arguments" in capsys.readouterr().err


def test_samples_differ_over_all_lines(run, capsys, monkeypatch):
    texts = ["one two"] * 8
    strategy = kerasseq.Sample(temperature=9.0, seed=3)
    expected = kerasseq.load(run).generate(texts, kerasseq.Options(strategy))
    monkeypatch.setattr("kerasseq.applications.translation.use.CHUNK", 2)
    arguments = ["--sample", "--temperature", "9", "--seed", "3"]
    assert main(["generate", run, *arguments, *texts]) == 0
    assert capsys.readouterr().out.splitlines() == expected
    assert len(set(expected)) > 2


def test_generate_n_best_as_json(run, capsys):
    assert main(["generate", run, "one two", "--n-best", "3", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    scores = [one["score"] for one in row["hypotheses"]]
    assert row["text"] == "eins zwei" and len(scores) == 3 and scores == sorted(scores)[::-1]


def test_evaluate_as_json(run, folder, capsys):
    assert (
        main(["evaluate", run, "--data", str(folder / "pairs.tsv"), "--json"]) == 1
    )  # one line is left out
    row = json.loads(capsys.readouterr().out)
    assert row["pairs"] == 200
    bleu, chrf, _ = row["scores"]
    assert bleu["name"] == "BLEU" and "version" in bleu["signature"]
    assert chrf["value"] > 50


def test_evaluate_on_a_data_set_is_that_on_its_files(run, tmp_path, capsys):
    for part in ("train", "val", "test_2016_flickr"):
        for side, code in enumerate(("en", "de")):
            with gzip.open(tmp_path / f"{part}.{code}.gz", "wt", encoding="utf-8") as file:
                file.writelines(pair[side] + "\n" for pair in PAIRS[::40])
    files = [str(tmp_path / f"test_2016_flickr.{code}.gz") for code in ("en", "de")]
    assert main(["evaluate", run, "--data", *files, "--json"]) == 0
    of_files = json.loads(capsys.readouterr().out)
    of_set = ["evaluate", run, "--dataset", "multi30k", "--data-dir", str(tmp_path), "--json"]
    assert main([*of_set, "--source", "en", "--target", "de"]) == 0
    assert json.loads(capsys.readouterr().out) == of_files
    assert of_files["pairs"] == 5
    assert main([*of_set, "--target", "nl"]) == 2
    assert "no language 'nl'" in capsys.readouterr().err


def test_evaluate_opens_its_output_before_it_translates(run, folder, tmp_path, monkeypatch, capsys):
    def never(*args, **more):
        raise AssertionError("translated in vain")

    monkeypatch.setattr("kerasseq.models.Seq2Seq.hypotheses", never)
    data = str(folder / "pairs.tsv")
    for output in (data, str(tmp_path / "no-such" / "x")):
        assert main(["evaluate", run, "--data", data, "--output", output]) == 2
        assert output in capsys.readouterr().err
    assert os.path.getsize(data) > 0


def test_attention_draws(run, folder, capsys):
    path = folder / "map.png"
    assert main(["attention", run, "one two", "--output", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_info(run, capsys):
    assert main(["info", run, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["data"] == "pairs.tsv" and facts["pairs"] == 192 and facts["parameters"] > 1000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "no-such-model", "x"], "no-such-model"),
        (["generate", __file__, "x"], "not a .keras file"),
        (["train", "translation", "--train", "missing.tsv"], "missing.tsv"),
        (["train", "translation", "--set", "model.unit=3"], "model.unit"),
        (["train", "translation", "--config", "no-such"], "no-such"),
        (["train", "translation", "--dataset", "no-such"], "no-such"),
        (["datasets", "fetch", "no-such"], "no-such"),
        (["datasets", "fetch", "multi30k", "--data-dir", __file__], "test_cli.py"),
        (["attention", "RUN", "one", "--output", "no-such/map.png"], "no-such/map.png"),
        (["generate", "RUN", "one", "--output", "no-such/x"], "no-such/x"),
        (["generate", "RUN", "one", "--top-k", "5"], "--top-k goes with --sample"),
        (["generate", "RUN", "one", "--sample", "--n-best", "3"], "--n-best goes with beam"),
        (["generate", "RUN", "one", "--sample", "--beam", "3"], "--beam goes with beam"),
        (["generate", "RUN", "one", "--beam", "1", "--coverage-penalty", "1"], "--coverage-pen"),
        (["generate", "RUN", "one", "--beam", "1", "--length-penalty", "2"], "--length-penalty"),
        (["generate", "RUN", "one", "--beam", "1", "--n-best", "1"], "--n-best goes with beam"),
        (["generate", "RUN", "one", "--beam", "0"], "--beam must be a whole number"),
        (["generate", "RUN", "one", "--seed", "0"], "--seed goes with --sample"),
        (["generate", "RUN", "one", "--ctc-weight", "0.3"], "--ctc-weight is for hybrid"),
        (["generate", "RUN", "one", "--lm-weight", "0"], "--lm-weight needs a language model"),
        (["generate", "RUN", "one", "--with", "RUN"], "is in the ensemble already"),
        (["generate", "RUN", "one", "--prefix", " "], "--prefix has no text"),
        (["generate", "RUN", "one", "--max-length", "9000"], "--max-length is 9000"),
        (["generate", "RUN", "one", "--min-length", "5", "--max-length", "5"], "--max-length"),
        (["evaluate", "RUN", "--data", __file__, "--length-bonus", "1"], "--length-bonus is for"),
        (["evaluate", "RUN", "--data", __file__, "--source", "en"], "--source goes with --data"),
        (["evaluate", "RUN", "--dataset", "an4"], "an4 is sound"),
    ],
)
def test_mistakes_end_in_one_sentence(arguments, words, capsys, tmp_path, monkeypatch, request):
    if "RUN" in arguments:
        run = request.getfixturevalue("run")
        arguments = [run if part == "RUN" else part for part in arguments]
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert words in shown and "Traceback" not in shown


def test_other_models_of_keras_are_refused(tmp_path, capsys):
    import keras  # not above: kerasseq shall be the first to import it

    path = str(tmp_path / "plain.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    for arguments in (["info", path], ["generate", path, "x"]):
        assert main(arguments) == 2
        assert "holds a Sequential, not a model of kerasseq" in capsys.readouterr().err


def test_a_second_run_into_the_folder_is_refused(run, folder, capsys):
    arguments = ["train", "translation", "--train", str(folder / "pairs.tsv"), "--output", run]
    assert main([*arguments, *settings()]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*arguments, *settings("model.units=96")]) == 2
    assert "model.units is 96, was 64" in capsys.readouterr().err


def test_datasets_lists(capsys):
    assert main(["datasets"]) == 0
    shown = capsys.readouterr().out
    assert "multi30k" in shown and "tatoeba" in shown


def test_datasets_fetch_names_the_next_command(capsys, monkeypatch):
    monkeypatch.setattr("kerasseq.data.public.fetch.fetch", lambda name, data_dir: None)
    assert main(["datasets", "fetch", "multi30k", "--data-dir", "my data"]) == 0
    shown = capsys.readouterr().out
    assert shown == "kerasseq train translation --dataset multi30k --data-dir 'my data'\n"


@thorough
@pytest.mark.parametrize("text", ["$1,234.50", "a \"b\" 'c'", "-12°C", "--json", "plain"])
def test_texts_are_quote_argument_for_the_shell(text):
    command = f"attention model.keras --output map.png {_quote_argument(text)}"
    assert make_parser().parse_args(shlex.split(command)).text == text
    command = f"generate model.keras {_quote_argument(text)}"
    assert make_parser().parse_args(shlex.split(command)).text == [text]


def test_a_closed_pipe_is_no_error(run):
    command = f'"{sys.executable}" -m kerasseq generate {run} one two three four | head -n 1'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() and "Traceback" not in done.stderr
