"""`kerasseq inspect` as a user meets it."""

import json
import subprocess
import sys

import pytest

from kerasseq.cli import main


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("one\teins\ntwo\tzwei\nno target\n\t\n", encoding="utf-8")
    return str(path)


def test_text(pairs, capsys):
    assert main(["inspect", pairs, "--test", pairs]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "pairs.tsv: pairs"
    assert lines[3].split() == ["training", "2", "2", "2", "0", "%", "2", "2", "0", "%"]
    assert any("2 of 2 test pairs: what it reads is in the training part too" in x for x in lines)
    assert f"  {pairs}:3: no tab between a source and a target" in lines


def test_json(pairs, capsys):
    assert main(["inspect", pairs, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert set(whole) == {"kind", "name", "parts", "findings", "worst", "errors"}
    assert whole["parts"]["train"]["target"]["words"] == 2
    assert whole["parts"]["train"]["quantiles"]["source characters"]["most"] == 3
    assert whole["findings"][0]["check"] == "left_out" and whole["findings"][0]["count"] == 2
    assert whole["worst"][0]["line"] == 3


def test_picture(pairs, tmp_path):
    assert main(["inspect", pairs, "--output", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name files or a data set"),
        (["x.tsv"], "x.tsv does not exist"),
        (["--dataset", "an4", "--head", "captioning"], "--head is for files"),
        (["PAIRS", "--data-dir", "."], "--data-dir is where data sets are"),
        (["PAIRS", "--output", "a.xyz"], "a.xyz: a picture has one of the endings"),
        (["PAIRS", "--output", "/nowhere/a.png"], "there is no folder /nowhere"),
    ],
)
def test_mistakes(pairs, capsys, arguments, message):
    assert main(["inspect", *(pairs if one == "PAIRS" else one for one in arguments)]) == 2
    assert message in capsys.readouterr().err


def test_it_needs_no_keras(pairs):
    code = f"""
import sys
from kerasseq.cli import main
main(["inspect", {pairs!r}])
assert not {{"keras", "tensorflow", "jax", "torch"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
