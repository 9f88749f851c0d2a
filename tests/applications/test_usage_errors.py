"""Usage errors come before Keras is imported, which takes seconds."""

import resource
import subprocess
import sys
from typing import get_args

import pytest

from kerasseq.applications.common import settings
from kerasseq.attention import ALIGNMENTS, SCORES

MOST_SECONDS = 2.0  # of the processor; such an error takes 0.6 s, and Keras 5 to 10 s

CONFIGURE = """
import importlib, sys
for head in ("translation", "speech_recognition", "captioning"):
    package = importlib.import_module(f"kerasseq.applications.{head}")
    config = package.configure({"train": ["list.tsv"]}, None, None, ["training.epochs=3"])
    parts = package.read_parts(config.data)
    print(config.training.epochs, len(list(parts.train)) + len(list(parts.valid)))
print({"keras", "tensorflow", "jax", "torch"} & set(sys.modules))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("usage")
    for name in ("a.wav", "b.wav", "c.wav"):
        (path / name).touch()
    for name, text in {
        "list.tsv": "a.wav\tone\nb.wav\ttwo\nc.wav\tthree\n",
        "empty.tsv": "",
        "typo.toml": "[training\nepochs = 3\n",
        "unknown.toml": "[training]\nepoch = 3\n",
    }.items():
        (path / name).write_text(text)
    return path


def run(folder, *arguments):
    """Returns the result of a Python process, and the seconds of the processor that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime"))


def test_a_head_is_configured_and_its_data_are_read_without_keras(folder):
    done, _ = run(folder, "-c", CONFIGURE)
    assert done.stdout.splitlines() == ["3 3", "3 3", "3 3", "set()"], done.stderr


@pytest.mark.parametrize(
    "command, words",
    [
        ("train translation --train none.tsv", "none.tsv does not exist"),
        ("train captioning --train empty.tsv", "empty.tsv"),
        ("train translation --train list.tsv --set model.unit=3", "unknown key model.unit"),
        ("train captioning --config typo.toml", "typo.toml:1: not valid TOML"),
        ("train speech-recognition --config unknown.toml", "unknown.toml:2: unknown key"),
        ("train translation --set model.width=wide", "must be a whole number"),
        ("train translation --set training.warm_up=-1", "training.warm_up must be"),
        (
            "train speech-recognition --train list.tsv --set decoding.ctc_weight=0.5",
            "decoding.ctc_weight has no effect",
        ),
        ("train captioning --set model.kind=s3vt", "model.kind must be one of"),
        ("train speech-recognition --dataset an5", "no data set 'an5'"),
        ("train speech-recognition --start-from an5", "an5: no such file or preset"),
        ("train speech-recognition --set training.encoder_from=an5", "an5: no such file"),
        ("evaluate an4-ctc --data none.tsv", "none.tsv does not exist"),
        ("evaluate an4-ctc --dataset an5", "no data set 'an5'"),
        ("generate an5 hello", "an5: no such file or preset"),
        ("generate multi30k-en-de --input none.txt", "none.txt does not exist"),
        ("transcribe an4-ctc none.wav", "none.wav does not exist"),
        (
            "caption flickr8k none.png other.png",
            "none.png does not exist, nor does any other",
        ),
        ("train translation --train list.tsv --output list.tsv", "list.tsv: is not a folder"),
    ],
)
def test_an_error_comes_at_once(folder, command, words):
    done, seconds = run(folder, "-m", "kerasseq", *command.split())
    assert done.returncode == 2
    assert words in done.stderr and done.stderr.count("\n") == 1
    assert seconds < MOST_SECONDS


def test_the_settings_name_all_attention():
    """They spell the names out, since the classes bring Keras."""
    assert get_args(settings.Score) == (*SCORES, "multi_head")
    assert get_args(settings.Alignment) == tuple(ALIGNMENTS)
