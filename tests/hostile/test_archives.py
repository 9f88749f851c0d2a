"""Files of models by strangers: each is loaded, or refused in one sentence that names it."""

import io
import json
import math
import random
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest

import kerasseq
from kerasseq.archive import check_weights
from kerasseq.backbones import load_backbone
from kerasseq.cli import main
from kerasseq.errors import UserError
from kerasseq.language_model import NGram
from kerasseq.models import compact
from tests.hostile import archives
from tests.thorough import thorough


def refused(path):
    """The one sentence by which a file is refused, its name left out."""
    with pytest.raises(UserError) as caught:
        kerasseq.load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and len(text) < 700
    return text.removeprefix(f"{path}: ")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


@pytest.mark.parametrize("name", archives.ARCHIVES)
def test_archives(name, path):
    refused(archives.ARCHIVES[name](path))


@pytest.mark.parametrize("name", archives.CONFIGS)
def test_configurations(name, path):
    refused(archives.configured(path, archives.CONFIGS[name]))


@pytest.mark.parametrize("name", archives.NETWORKS)
def test_networks_whose_layers_do_not_follow_each_other(name, path):
    """Keras would look for a layer's source without end."""
    change = archives.in_place_of("encoder", archives.NETWORKS[name])
    words = refused(archives.configured(path, change))
    assert words == "the layers of a network in it do not follow each other."


@pytest.mark.parametrize("name", archives.TEXTS)
def test_texts_in_place_of_a_configuration(name, path):
    assert "its configuration" in refused(archives.as_text(path, archives.TEXTS[name]))


@pytest.mark.parametrize("name", archives.WEIGHT_FILES)
def test_weights(name, path):
    refused(archives.with_weights(path, archives.WEIGHT_FILES[name]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("stored in another file", "are in another file"),
        ("a virtual array", "are in another file"),
        ("a link to another file", "is a link to something else"),
        ("a size beyond 64 bits", "bytes that are not in the file"),
        ("texts", "no array of numbers"),
    ],
)
def test_nothing_of_other_files_comes_into_what_compact_writes(change, words, path, tmp_path):
    archives.with_weights(path, archives.WEIGHT_FILES[change])
    with pytest.raises(UserError, match=words):
        compact(path, tmp_path / "small.keras")
    assert {file.name for file in tmp_path.iterdir()} == {"model.keras"}


def test_what_is_good_is_loaded_and_packed(tmp_path):
    written = kerasseq.load(archives.GOOD).generate(["eins zwei"])
    compact(archives.GOOD, tmp_path / "small.keras")
    assert kerasseq.load(tmp_path / "small.keras").generate(["eins zwei"]) == written


@pytest.mark.parametrize("change", ["stored in another file", "a link to another file", "packed"])
def test_weights_of_a_backbone(change, tmp_path):
    path = tmp_path / "backbone.h5"
    with h5py.File(path, "w") as file:
        file[archives.ARRAY] = np.zeros((22, 8), "f4")
        archives.WEIGHT_FILES[change](file)
    with pytest.raises(UserError, match=r"backbone\.h5: the weights in it are refused"):
        check_weights(path)
    with pytest.raises(UserError, match=r"backbone\.h5: the weights in it are refused"):
        load_backbone("MobileNetV2", (32, 32), weights=path)


def sized(path, size, method):
    """A file whose configuration is `size` spaces, which its directory says are ten bytes."""
    archives.with_member(path, archives.CONFIG, b" " * size)
    archives.write(path, {**archives.contents(), archives.CONFIG: b" " * size}, method)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(archives.CONFIG.encode()))
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return archives.of_bytes(path, data)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_bomb_is_not_unpacked_beyond_what_is_announced(method, path, monkeypatch):
    sized(path, 30_000_000, method)
    refused(path)


WORST = """
import resource, sys, time
import kerasseq
from kerasseq.errors import UserError
from kerasseq.language_model import NGram
from tests.hostile import archives
kerasseq.load(archives.GOOD)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
for path in sys.argv[1:]:
    start = time.process_time()
    try:
        kerasseq.load(path)
        print("loaded")
    except UserError as error:
        print(str(error)[-60:])
    print(path, round(time.process_time() - start), round(peak() - before), sep="\\t")
"""


@thorough
def test_the_worst_take_neither_memory_nor_time(tmp_path):
    """No more than 2 GiB and 30 s each; most are refused in a moment."""
    made = [
        archives.configured(tmp_path / f"{name}.keras".replace(" ", "-"), archives.CONFIGS[name])
        for name in ("many words", "more words", "deep", "long", "an orthogonal start")
    ]
    objects = b'{"config": {"a": [' + b"[]," * 2_500_000 + b'[]]}, "registered_name": "x"}'
    made.append(archives.as_text(tmp_path / "lists.keras", objects))
    made.append(sized(tmp_path / "lzma.keras", 50_000_000, zipfile.ZIP_LZMA))
    made.append(zeros(tmp_path / "zeros.keras", 1000))
    ran = subprocess.run(
        [sys.executable, "-c", WORST, *map(str, made)], capture_output=True, text=True
    )
    rows = [line.split("\t") for line in ran.stdout.splitlines() if "\t" in line]
    assert len(rows) == len(made), ran.stdout + ran.stderr[-2000:]
    assert all(int(seconds) < 30 and int(megabytes) < 1000 for _, seconds, megabytes in rows), rows


def zeros(path, width):
    """A model of a width that takes little in the file, since all its weights are zero."""
    items = archives.contents()
    config = json.loads(items[archives.CONFIG])
    archives.setting("TokenEmbedding", width=width)(config)
    data = io.BytesIO(items[archives.WEIGHTS])
    with h5py.File(data, "r+") as file:
        del file[archives.ARRAY]
        file[archives.ARRAY] = np.zeros((22, 500_000), "f4")
    items |= {archives.CONFIG: json.dumps(config).encode(), archives.WEIGHTS: data.getvalue()}
    return archives.write(path, items)


@pytest.mark.parametrize("command", ["info", "compact", "generate", "with", "attention"])
@pytest.mark.parametrize("name", ["cut in half", "no vocabulary", "a link"])
def test_commands_end_in_one_line(command, name, path, tmp_path, capsys):
    archives.ARCHIVES[name](path)
    line = {
        "compact": ["compact", path, tmp_path / "small.keras"],
        "with": ["generate", archives.GOOD, "eins", "--with", path],
        "info": ["info", path],
    }.get(command, [command, path, "eins"])
    status = main(list(map(str, line)))
    shown = capsys.readouterr()
    if (command, name) != ("compact", "no vocabulary"):  # it is as whole as it was
        assert status == 2 and shown.err.startswith(f"kerasseq: {path}: ")
        assert shown.err.count("\n") == 1 and not shown.out


CARD = {
    "file": "/etc/passwd",
    "parameters": -1,
    "model": "CTC",
    "task": "\x1b]0;owned\x07\x1b[2J",
    "\x1b[31m": "a key",
    "data": "line\nvocabulary   source 7",
    "licence": "\u202egnitimrep",
    "test": {"WER": math.nan, "BLEU\x9b": True},
    "pairs": 10**30,
    "more": [1, None, {"a": []}],
}


def test_facts_win_over_a_card_whose_text_is_escaped(path, capsys):
    archives.configured(path, archives.in_place_of("card", CARD))
    assert main(["info", str(path)]) == 0
    shown = capsys.readouterr().out
    assert f"file         {path}\n" in shown and "parameters   3,120\n" in shown
    assert "model        Seq2Seq\n" in shown and shown.count("\nvocabulary ") == 1
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
    assert main(["info", str(path), "--json"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\u202e" not in shown
    facts = json.loads(shown, parse_constant=pytest.fail)
    assert facts["parameters"] == 3120 and facts["test"]["WER"] is None
    assert facts["task"] == CARD["task"] and facts["pairs"] == 10**30


def test_names_that_are_no_text(tmp_path, capsys):
    """Bytes that are not UTF-8 are surrogates on the command line."""
    name = b"b\xff.keras".decode(errors="surrogateescape")
    archives.write(tmp_path / name, archives.contents())
    assert main(["info", str(tmp_path / name)]) == 0
    assert "b\\udcff.keras" in capsys.readouterr().out
    assert main(["info", str(tmp_path / f"no{name}")]) == 2
    assert "nob\\udcff.keras: no such file" in capsys.readouterr().err


def test_texts_that_are_no_text(capsys):
    text = b"eins \xff".decode(errors="surrogateescape")
    assert main(["generate", str(archives.GOOD), text]) == 2
    shown = capsys.readouterr().err
    assert "\\udcff" in shown and shown.count("\n") == 1


def test_mutated_bytes_load_or_are_refused(path):
    """A byte here and there, of the whole file or of what is in it."""
    draw = random.Random(1)
    items = archives.contents()
    for _ in range(40):
        name = draw.choice([None, archives.CONFIG, archives.WEIGHTS, archives.VOCABULARY])
        data = bytearray(items[name] if name else archives.GOOD.read_bytes())
        first = draw.randrange(len(data))
        for place in range(first, min(first + draw.choice([1, 4, 100]), len(data))):
            data[place] = draw.randrange(256)
        if name:
            archives.write(path, {**items, name: bytes(data)}, zipfile.ZIP_STORED)
        else:
            path.write_bytes(data)
        try:
            model = kerasseq.load(path)
        except UserError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert model.preprocessor.tokenizer("target").vocabulary_size == 22


def test_a_model_of_more_layers_than_any_network_is_not_built(path):
    archives.with_weights(path, archives.many_groups)
    items = archives.contents(path)
    config = json.loads(items[archives.CONFIG])
    archives.setting("TransformerEncoder", layers=2000)(config)
    archives.write(path, {**items, archives.CONFIG: json.dumps(config).encode()})
    start = time.process_time()
    assert "a larger model than it has weights for" in refused(path)
    assert time.process_time() - start < 30


def test_n_grams_that_unpack_twice(tmp_path, monkeypatch):
    """A packed table in a packed file: what is in it is bounded by itself."""
    model = NGram.learn([[5, 6, 7], [6, 7, 8]], 22, 3)
    model.save_assets(str(tmp_path))
    again = NGram(22, 3)
    again.load_assets(str(tmp_path))
    assert again.score([5, 6, 7]) == model.score([5, 6, 7])
    data = io.BytesIO(bytes(40_000_000))
    data.seek(0, io.SEEK_END)
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("a", "w") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    (tmp_path / "ngrams.npz").write_bytes(data.getvalue())
    with pytest.raises(UserError, match="more memory than those of any text"):
        again.load_assets(str(tmp_path))
    monkeypatch.setattr("kerasseq.language_model.table_file._MOST_BYTES", 100)
    with pytest.raises(UserError, match="too large to be saved"):
        model.save_assets(str(tmp_path))
