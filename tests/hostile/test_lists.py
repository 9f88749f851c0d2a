"""Lists and texts of strangers: bounded memory, no hang, and no other file is read."""

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.cli import main
from kerasseq.data import FileCorpus, PictureCorpus, RecordingCorpus
from kerasseq.errors import UserError
from tests.hostile.lists import BOMBS, NO_FILES, make_socket
from tests.thorough import thorough

READERS = {
    ".po": (FileCorpus,),
    ".zip": (FileCorpus,),
    ".json": (RecordingCorpus, PictureCorpus),
    "": (FileCorpus, RecordingCorpus, PictureCorpus),
}

# Those that show most, of what `BOMBS` has; all are measured by hand.
QUICK = [
    *("long_line.tsv.gz", "lines.tsv.gz", "po.po.gz", "member_line.zip"),
    *("quotes.csv", "nested.json", "digits.jsonl", "one_entry.po"),
]

MEASURE = """
import resource, sys
from kerasseq import data
from kerasseq.errors import UserError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (90, 90))
for name in sys.argv[2:]:
    try:
        list(getattr(data, name)([sys.argv[1]]))
    except UserError as error:
        print(str(error).count("\\n") <= 5)
used = resource.getrusage(resource.RUSAGE_SELF)
print((used.ru_maxrss - before) // 1024, used.ru_utime)
"""


@thorough
@pytest.mark.parametrize("name", QUICK)
def test_bombs_take_little_memory_and_time(tmp_path, name):
    path = tmp_path / name
    BOMBS[name](path)
    assert path.stat().st_size <= 10_000_000
    kind = os.path.splitext(name.removesuffix(".gz"))[1]
    readers = [reader.__name__ for reader in READERS.get(kind, READERS[""])]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), *readers], capture_output=True, text=True
    )
    assert not done.stderr
    *sentences, used = done.stdout.splitlines()
    assert sentences == ["True"] * len(readers)
    megabytes, seconds = map(float, used.split())
    assert megabytes < 1000 and seconds < 30


@pytest.mark.parametrize("corpus", [FileCorpus, RecordingCorpus, PictureCorpus])
@pytest.mark.parametrize("kind", [*NO_FILES, "socket"])
def test_what_is_no_file_is_refused_at_once(tmp_path, monkeypatch, kind, corpus):
    monkeypatch.chdir(tmp_path)
    for name in ("a.tsv", "a.jsonl"):
        (make_socket if kind == "socket" else NO_FILES[kind])(tmp_path / name)
        with pytest.raises(UserError) as refused:
            corpus([name])
        assert str(refused.value).startswith(name)


def test_a_catalogue_that_names_a_file_does_not_read_it(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text('msgid "secret"\nmsgstr "geheim"\n')
    (tmp_path / "a.po").write_text(str(secret))
    with pytest.raises(UserError, match="a.po"):
        list(FileCorpus([tmp_path / "a.po"]))


def test_a_list_that_names_itself_is_no_sound(tmp_path):
    from kerasseq.errors import FileError

    (tmp_path / "a.tsv").write_text("a.tsv\tone\n")
    corpus = RecordingCorpus([tmp_path / "a.tsv"])
    with corpus.reader(16000) as read, pytest.raises(FileError):
        read(next(iter(corpus)))


def test_a_list_names_things_that_are_no_files(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"x")
    os.mkfifo(tmp_path / "b.wav")
    (tmp_path / "c.wav").mkdir()
    (tmp_path / "d.wav").symlink_to("/dev/zero")
    (tmp_path / "a.tsv").write_text("".join(f"{name}.wav\tone\n" for name in "abcd"))
    corpus = RecordingCorpus([tmp_path / "a.tsv"])
    assert [one.path[-5:] for one in corpus] == ["a.wav"]
    assert corpus.problems.counts == {"not a file": 3}


PIECES = st.sampled_from(
    [b"a.wav", b"b.png", b"\t", b",", b";", b"|", b"\n", b"\r", b'"', b'""', b"path", b"text", b" "]
    + [
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"{",
        b"}",
        b"[",
        b"]",
        b'"path": "a.wav"',
        b":",
    ]
    + [b'"text": "x"', b"\\ud800", b"1", b"NaN", b"msgid ", b"msgstr ", b"#, fuzzy", b"one two"]
)
NAMES = [
    "a.tsv",
    "a.csv",
    "a.txt",
    "a.json",
    "a.jsonl",
    "a.po",
    "metadata.csv",
    "a.tsv.gz",
    "a.zip",
]


@given(st.lists(PIECES, max_size=40).map(b"".join), st.sampled_from(NAMES))
@settings(max_examples=150, deadline=None)
def test_whatever_is_in_a_list_it_is_read_or_refused(tmp_path_factory, data, name):
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.wav").write_bytes(b"x")
    (folder / "b.png").write_bytes(b"x")
    (folder / name).write_bytes(data)
    for corpus in (FileCorpus, RecordingCorpus, PictureCorpus):
        try:
            for one in (found := corpus([folder / name])):
                texts = one if corpus is FileCorpus else one.texts
                assert all(text.strip() and text.encode() for text in texts)
                assert (
                    corpus is FileCorpus
                    or one.path in (f"{folder}/a.wav", f"{folder}/b.png")
                    or os.path.isfile(one.path)
                )
            str(found.problems).encode()
        except UserError as error:
            assert str(error).strip()


@given(st.lists(PIECES, max_size=40).map(b"".join), st.sampled_from(NAMES))
@settings(max_examples=80, deadline=None)
def test_whatever_is_in_a_list_it_is_inspected_or_refused(tmp_path_factory, data, name):
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.wav").write_bytes(b"x")
    (folder / "b.png").write_bytes(b"x")
    (folder / name).write_bytes(data)
    assert main(["inspect", str(folder / name), "--test", str(folder / name), "--json"]) in (0, 2)
