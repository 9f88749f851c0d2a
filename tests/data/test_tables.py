"""Lists and tables as other programs write them."""

import contextlib
import csv
import io
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.cli import main
from kerasseq.cli.files import TextLines
from kerasseq.data import FileCorpus, ListCorpus, PictureCorpus, RecordingCorpus, holdout
from kerasseq.errors import UserError

ROWS = [
    ("a.wav", "one, two"),
    ("b.wav", 'he said "no" twice'),
    ("c.wav", '"quoted"'),
    ("d.wav", "tab\tin it"),
    ("e.wav", "semi;colon|bar"),
]


@pytest.fixture
def folder(tmp_path):
    for name in "abcdefg":
        (tmp_path / f"{name}.wav").write_bytes(b"x")
    return tmp_path


def listed(folder, name, data, corpus=RecordingCorpus):
    """(file, text) of each example, and the corpus."""
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    found = corpus([folder / name])
    return [(one.path.rpartition("/")[2], one.texts[0]) for one in found], found


def written(rows, **how):
    """What Python's writer, and pandas with it, makes of rows."""
    file = io.StringIO()
    csv.writer(file, **{"lineterminator": "\n", **how}).writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["l.csv", "l.tsv", "l.txt"])
def test_tables_in_quotes(folder, name, delimiter, end, header):
    rows = [("path", "sentence")] * header + ROWS
    data = written(rows, delimiter=delimiter, lineterminator=end)
    found, corpus = listed(folder, name, data)
    assert found == ROWS and not len(corpus.problems)
    assert [one.line for one in corpus] == [number + header for number in range(1, 6)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-8"])
@pytest.mark.parametrize("text", ["path\tsentence\r\na.wav\tdžús, чай\r\nb.wav\t茶\r\n"])
def test_encodings(folder, encoding, text):
    found, _ = listed(folder, "l.tsv", text.encode(encoding))
    assert found == [("a.wav", "džús, чай"), ("b.wav", "茶")]


def test_cells_of_several_lines(folder):
    data = 'path,text\na.wav,"one,\ntwo ""three"""\nb.wav,four\n'
    found, corpus = listed(folder, "l.csv", data)
    assert found == [("a.wav", 'one, two "three"'), ("b.wav", "four")]
    assert [one.line for one in corpus] == [2, 4]


@pytest.mark.parametrize("name", ["l.csv", "l.tsv"])
@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'b.wav,"two', "a quote that is not closed"),
        (b'b.wav,"two" three', "a quote in the middle of a cell in quotes"),
        (b"b.wav,t\xff", "not valid UTF-8"),
        (b"b.wav,t\0o", "a NUL byte in it"),
        (b"b.wav,two,three", "more columns than in the first line"),
        (b"b.wav", "no path and text"),
        (b",two", "no path and text"),
        (b"b.wav,two\rc.wav,three", "a carriage return in the middle"),
        (b"b.wav," + b"x" * (2 << 20), "longer than 1,048,576 characters"),
    ],
)
def test_a_bad_line_costs_no_other(folder, name, line, kind):
    data = b'path,text\na.wav,"one, and"\n' + line + b'\nd.wav,"four"\ne.wav,"f""ive"\nf.wav,six\n'
    found, corpus = listed(folder, name, data)
    assert found == [("a.wav", "one, and"), ("d.wav", "four"), ("e.wav", 'f"ive'), ("f.wav", "six")]
    assert [*corpus.problems.counts.values()] == [1]
    assert corpus.problems.named[0].startswith(f"{folder}/{name}:3: {kind}")


def test_quotes_that_people_write(folder):
    rows = ['a.wav\t"I see', 'b.wav\t"No," he said.', 'c.wav\the said "no"', 'd.wav\t"So."']
    found, corpus = listed(folder, "l.tsv", "\n".join(rows))
    assert found == [tuple(row.split("\t")) for row in rows] and not len(corpus.problems)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("client_id\tpath\tsentence_id\tsentence\tup_votes", "x1\ta.wav\t77\tone\t2"),
        ("text,file", "one,a.wav"),
        ("Duration;Audio File;Transcript", "1.5;a.wav;one"),
        ("wav_filename,wav_filesize,transcript", "a.wav,1234,one"),
        ("image,label", "a.wav,one"),
        ("label,image_path", "one,a.wav"),
        ("image_name| comment_number| comment", "a.wav| 0| one"),
    ],
)
def test_headers(folder, header, row):
    corpus = PictureCorpus if "image" in header else RecordingCorpus
    found, _ = listed(folder, "l.csv", f"{header}\n{row}\n", corpus)
    assert found == [("a.wav", "one")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a.wav\t1.5\tone two", "b.wav\t2\tthree"], ["one two", "three"]),
        (["a.wav\tone two\t1.5", "b.wav\tthree\t2"], ["one two", "three"]),
        (["a.wav\t7", "b.wav\t8"], ["7", "8"]),
        (["1.5\ta.wav\tone two", "2\tb.wav\tthree"], ["one two", "three"]),
        (["one two\ta.wav", "three\tb.wav"], ["one two", "three"]),
        (["a.wav\tone two\tspeaker", "b.wav\tthree\tspeaker"], ["one two", "three"]),
    ],
)
def test_columns_without_a_header(folder, rows, expected):
    for name, delimiter in (("l.tsv", "\t"), ("l.csv", ",")):
        found, _ = listed(folder, name, "\n".join(rows).replace("\t", delimiter))
        assert found == list(zip(["a.wav", "b.wav"], expected, strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.wav\t1.5\t7\nb.wav\t2\t8\n", "there are 3 columns and no header that tells"),
        ("a.wav\tspk1\tone two\nb.wav\tspk2\tthree four\n", "there are 3 columns and no header"),
        ("path\twords\nb.wav\tone\n", "the header must name a column of paths"),
        ("one\ttext\tthree\nb.wav\tone\tx\n", "the header must name a column of paths"),
    ],
)
def test_columns_that_cannot_be_told_are_refused(folder, text, message):
    with pytest.raises(UserError, match=f"l.tsv:1: {message}"):
        listed(folder, "l.tsv", text)


def test_parts_of_files_in_a_table(folder):
    data = "path\tstart\tend\ttext\na.wav\t0\t1.5\tone\nb.wav\t2\t\ttwo\nc.wav\tx\t3\tthree\n"
    _, corpus = listed(folder, "l.tsv", data)
    assert [(one.start, one.end) for one in corpus] == [(0, 1.5), (2, None)]
    assert corpus.problems.counts == {"the offset, end or duration is no number of seconds": 1}


def test_common_voice_and_lj_speech(folder):
    for place in ("clips/u.mp3", "wavs/LJ001-0001.wav", "wavs/LJ001-0002.wav"):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_bytes(b"x")
    found, corpus = listed(folder, "train.tsv", "client_id\tpath\tsentence\nc\tu.mp3\tone\n")
    assert found == [("u.mp3", "one")] and not len(corpus.problems)
    rows = 'LJ001-0001|In 1455, "it|In fourteen fifty-five, "it\nLJ001-0002|to, be.|to, be.\n'
    (folder / "metadata.csv").write_text(rows)
    assert list(RecordingCorpus([folder]).texts()) == ['In fourteen fifty-five, "it', "to, be."]


def test_wav2vec(folder):
    (folder / "train.tsv").write_text(f"{folder}\na.wav\t16000\nb.wav\t32000\n")
    with pytest.raises(UserError, match="is a wav2vec manifest, which has no transcripts: put t"):
        list(RecordingCorpus([folder / "train.tsv"]))
    (folder / "train.ltr").write_text("O N E | T W O |\nS I X |\n")
    corpus = RecordingCorpus([folder / "train.tsv"])
    assert [(one.path, one.text, one.line) for one in corpus] == [
        (f"{folder}/a.wav", "ONE TWO", 2),
        (f"{folder}/b.wav", "SIX", 3),
    ]
    (folder / "train.wrd").write_text("one two\n")
    with pytest.raises(UserError, match="must have a transcript for each recording"):
        list(RecordingCorpus([folder / "train.tsv"]))


@pytest.mark.parametrize(
    ("more", "times"),
    [
        ({"offset": 0, "duration": 0.1}, (0, 0.1)),
        ({"offset": 0.0, "duration": 1}, (0, 1)),
        ({"offset": None, "duration": 1}, (0, None)),
        ({"offset": 0.05}, (0.05, None)),
        ({"offset": 0}, (0, None)),
        ({"duration": 0.1}, (0, None)),
        ({}, (0, None)),
    ],
)
def test_an_offset_of_zero_is_an_offset(folder, more, times):
    line = {"audio_filepath": "a.wav", "text": "x", **more}
    _, corpus = listed(folder, "l.jsonl", json.dumps(line))
    assert [(one.start, one.end) for one in corpus] == [times]


BAD_OBJECTS = [
    '{"audio_filepath": "a.wav", "text": "x", "duration": NaN}',
    '{"audio_filepath": "a.wav", "text": "x", "offset": 0, "duration": Infinity}',
    '{"audio_filepath": "a.wav", "text": "x", "offset": -1}',
    '{"audio_filepath": "a.wav", "text": "x", "offset": 0, "duration": 0}',
    f'{{"audio_filepath": "a.wav", "text": "x", "offset": {"9" * 400}}}',
    f'{{"audio_filepath": "a.wav", "text": "x", "duration": {"9" * 5000}}}',
    '{"audio_filepath": "a.wav", "text": "x", "offset": true}',
    '{"audio_filepath": "a.wav", "text": "x", "duration": "1.5"}',
    r'{"audio_filepath": "a.wav", "text": "\ud800"}',
    r'{"audio_filepath": "\udfff.wav", "text": "x"}',
    r'{"audio_filepath": "a\u0000.wav", "text": "x"}',
    '{"audio_filepath": ["a.wav"], "text": "x"}',
    '{"audio_filepath": "a.wav", "text": ["x"]}',
    '{"audio_filepath": "a.wav", "text": "x", "text": "y"}',
    '{"audio_filepath": "", "text": "x"}',
    '{"audio_filepath": "a.wav"}',
    '{"audio_filepath": "' + "a" * 5000 + '.wav", "text": "x"}',
    '{"audio_filepath": ".", "text": "x"}',
    "{}",
    "[]",
    "7",
    "[" * 100_000,
    '{"a":' * 100_000,
    '{"audio_filepath": "a.wav", "text": "x"',
    "\x00",
]


@pytest.mark.parametrize("first", [True, False])
def test_bad_objects_cost_no_other(folder, first):
    good = '{"audio_filepath": "b.wav", "text": "good"}'
    lines = [good, *BAD_OBJECTS, good] if first else [*BAD_OBJECTS, good]
    found, corpus = listed(folder, "l.jsonl", "\n".join(lines))
    assert found == [("b.wav", "good")] * (1 + first)
    assert len(corpus.problems) == len(BAD_OBJECTS)
    str(corpus.problems).encode()


@pytest.mark.parametrize("line", BAD_OBJECTS)
def test_a_bad_object_is_named_with_its_line(folder, line):
    good = '{"audio_filepath": "b.wav", "text": "good"}'
    _, corpus = listed(folder, "l.json", f"{good}\n{line}\n{good}\n")
    assert len(corpus.problems) == 1
    assert corpus.problems.named[0].startswith(f"{folder}/l.json:2: ")


@pytest.mark.parametrize("corpus", [RecordingCorpus, PictureCorpus])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["l.json", "l.jsonl"])
def test_a_list_of_objects(folder, name, indent, corpus):
    objects = [{"path": "a.wav", "text": "one"}, 5, {"path": "b.wav", "text": "two"}]
    found, some = listed(folder, name, json.dumps(objects, indent=indent), corpus)
    assert found == [("a.wav", "one"), ("b.wav", "two")]
    assert [one.line for one in some] == [1, 3] and len(some.problems) == 1


@pytest.mark.parametrize("corpus", [RecordingCorpus, PictureCorpus])
def test_a_list_is_read_once(folder, monkeypatch, corpus):
    (folder / "l.tsv").write_text("".join(f"{name}.wav\tone\n" for name in "abcdefg"))
    opened, looked = Counter(), Counter()
    monkeypatch.setattr("builtins.open", counting(open, opened))
    monkeypatch.setattr("os.stat", counting(os.stat, looked))
    found = corpus([folder / "l.tsv"])
    rest, part = holdout(found, 2)
    for some in (rest, part, found):
        list(some.texts())
        some.fingerprint()
    monkeypatch.undo()
    assert opened[f"{folder}/l.tsv"] == 2  # once to see that it can be opened
    assert [opened[f"{folder}/{name}.wav"] for name in "abcdefg"] == [0] * 7
    # The first rows are looked at when the columns are told, too.
    assert max(looked[f"{folder}/{name}.wav"] for name in "abcdefg") <= 2


def counting(function, counts):
    def call(path, *args, **more):
        counts[str(path)] += 1
        return function(path, *args, **more)

    return call


# The lists of --input.


def test_lines_that_are_no_texts_keep_their_places(tmp_path, capsys):
    (tmp_path / "a.txt").write_bytes(b"one\r\n\xff\n\nfo\0ur\nfive")
    with contextlib.ExitStack() as stack:
        lines = TextLines(str(tmp_path / "a.txt"), stack)
        assert list(lines) == ["one", "", "", "", "five"]
    assert lines.report() == 1
    said = capsys.readouterr().err.splitlines()
    assert said[1:] == [
        f"  {tmp_path}/a.txt:2: not valid UTF-8",
        f"  {tmp_path}/a.txt:4: a NUL byte in it",
    ]
    os.mkfifo(tmp_path / "b.txt")
    with contextlib.ExitStack() as stack, pytest.raises(UserError, match="is a pipe or a device"):
        TextLines(str(tmp_path / "b.txt"), stack)


def test_an_option_that_is_empty_is_an_error(capsys):
    with pytest.raises(SystemExit):
        main(["train", "translation", "--start-from", ""])
    assert "start-from is empty: leave it out" in capsys.readouterr().err


# Pairs.


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.tsv", "source\ttarget\none\teins\n"),
        ("p.tsv", "id\ttgt\tsrc\n1\teins\tone\n"),
        ("p.csv", "source,target\none,eins\n"),
        ("p.csv", 'one,"eins"\n'),
        ("p.csv", "target;source\neins;one\n"),
        ("p.tsv", "en\tde\none\teins\n"),
        ("p.csv", "en-GB,de-AT\none,eins\n"),
        ("p.tsv", "one\teins\tCC-BY 2.0 (France) Attribution: tatoeba.org\n"),
        ("p.tsv", '"one"\t"eins"\n'),
        ("p.jsonl", '{"src": "one", "tgt": "eins"}\n'),
        ("p.jsonl", '{"translation": {"en": "one", "de": "eins"}}\n'),
    ],
)
def test_pairs(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert list(FileCorpus([tmp_path / name])) == [("one", "eins")]


def test_languages_choose_the_columns(tmp_path):
    (tmp_path / "p.tsv").write_text("de\tfr\ten\neins\tun\tone\n")
    (tmp_path / "p.jsonl").write_text('{"translation": {"de": "eins", "en": "one"}}\n')
    for name in ("p.tsv", "p.jsonl"):
        corpus = FileCorpus([tmp_path / name], languages=("en", "de"))
        assert list(corpus) == [("one", "eins")]


def test_other_languages_than_a_table_has(tmp_path):
    (tmp_path / "p.tsv").write_text("fr\tde\nun\teins\n")
    with pytest.raises(UserError, match=r"p.tsv:1: The columns are fr and de, not en and de\."):
        list(FileCorpus([tmp_path / "p.tsv"], languages=("en", "de")))


def test_bad_rows_of_pairs(tmp_path):
    rows = ['"a, b","A, B"', 'c,"C', "d,D,more", '"e\nf",E', "g"]
    (tmp_path / "p.csv").write_text("source,target\n" + "\n".join(rows) + "\n")
    corpus = FileCorpus([tmp_path / "p.csv"])
    assert list(corpus) == [("a, b", "A, B"), ("e f", "E")]
    assert [line.split(": ")[0].rpartition(":")[2] for line in corpus.problems.named] == [
        "3",
        "4",
        "7",
    ]


CELLS = st.text(st.characters(exclude_characters="\0\r\t", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1), st.sampled_from([",", ";", "\t"]))
@settings(max_examples=150, deadline=None)
def test_what_a_program_writes_is_read_as_it_was(tmp_path_factory, pairs, delimiter):
    path = tmp_path_factory.mktemp("any") / "p.csv"
    rows = [("source", "target"), *pairs, ("last", "one")]
    text = written(rows, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    path.write_text(text, "utf-8", newline="")
    kept = [tuple(side.replace("\n", " ") for side in pair) for pair in pairs]
    whole = [pair for pair in kept if all(side.strip() for side in pair)]
    assert list(FileCorpus([path])) == [*whole, ("last", "one")]


# What other programs put around a table.


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"'])
def test_the_line_of_excel_that_names_the_delimiter(folder, first):
    data = f"{first}\r\npath;start;end;text\r\na.wav;0,5;1,25;one, two\r\n"
    found, corpus = listed(folder, "l.csv", data)
    assert found == [("a.wav", "one, two")] and not len(corpus.problems)
    assert [(one.start, one.end, one.line) for one in corpus] == [(0.5, 1.25, 3)]
    (folder / "p.csv").write_text(f"{first}\nsource;target\none;eins\n")
    assert list(FileCorpus(folder / "p.csv")) == [("one", "eins")]


@pytest.mark.parametrize("note", ["# made today", "# made today, by me", "a,b,c,d"])
def test_a_note_above_the_header_hides_it_not(folder, note):
    data = f"\n{note}\npath,start,end,text\na.wav,0.5,1,one\nb.wav,1,2,two\n"
    found, corpus = listed(folder, "l.csv", data)
    assert found == [("a.wav", "one"), ("b.wav", "two")]
    assert [(one.start, one.end) for one in corpus] == [(0.5, 1), (1, 2)]
    assert corpus.problems.named == [f"{folder}/l.csv:2: above the names of the columns"]


@pytest.mark.parametrize(
    "more",
    [{"start": 0, "end": 2}, {"offset": 0, "end": 2.0}, {"start_time": 0.0, "duration": 2}],
)
def test_parts_of_files_in_objects(folder, more):
    line = json.dumps({"audio_filepath": "a.wav", "text": "x", **more})
    _, corpus = listed(folder, "l.jsonl", line)
    assert [(one.start, one.end) for one in corpus] == [(0, 2)]


def test_a_manifest_of_the_folder_that_it_is_in(folder):
    (folder / "train.tsv").write_text(".\na.wav\t16000\nb.wav\t32000\n")
    with pytest.raises(UserError, match="is a wav2vec manifest, which has no transcripts"):
        list(RecordingCorpus(folder / "train.tsv"))
    (folder / "train.wrd").write_text("one\ntwo\n")
    assert [one.text for one in RecordingCorpus(folder / "train.tsv")] == ["one", "two"]


@pytest.mark.parametrize("kind", [str, Path, os.fsencode, lambda path: [path]])
def test_a_list_can_be_named_alone(folder, kind):
    (folder / "l.tsv").write_text("a.wav\tone\n")
    path = kind(folder / "l.tsv")
    assert [one.text for one in RecordingCorpus(path)] == ["one"]
    assert [one.texts for one in PictureCorpus(path)] == [("one",)]
    assert list(FileCorpus(path)) == [("a.wav", "one")]


def test_captions_of_one_cell_and_numbered_ones(tmp_path):
    for name in ("a.jpeg", "b.jpg"):
        (tmp_path / name).write_bytes(b"x")
    rows = [("raw", "filename"), (json.dumps(["a dog", "ein Hund"]), "a.jpeg"), ("[x] y", "b.jpg")]
    (tmp_path / "l.csv").write_text(written(rows))
    assert [one.texts for one in PictureCorpus(tmp_path / "l.csv")] == [
        ("a dog", "ein Hund"),
        ("[x] y",),
    ]
    (tmp_path / "l.txt").write_text("a.jpeg#0\tone\na.jpeg#1\ttwo\nb.jpg#0\tthree\n")
    assert [one.texts for one in PictureCorpus(tmp_path / "l.txt")] == [("one", "two"), ("three",)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", ",en,de\n0,one,eins\n1,two,zwei\n"),
        ("p.jsonl", '{"en": "one", "de": "eins"}\n{"de": "zwei", "id": 7, "en": "two"}\n'),
        (
            "p.jsonl",
            '{"translation": {"en": "one", "de": "eins"}}\n'
            '{"translation": {"de": "zwei", "en": "two"}}\n',
        ),
        ("p.json", '[{"source": "one", "target": "eins"},\n{"tgt": "zwei", "src": "two"}]'),
    ],
)
def test_each_pair_has_its_sides_in_the_same_order(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert list(FileCorpus(tmp_path / name)) == [("one", "eins"), ("two", "zwei")]


@pytest.mark.parametrize("text", ["0\tone\teins\n1\ttwo\tzwei\n", "7\tone\t8\teins\n", "1\t2\t3\n"])
def test_numbers_of_rows_are_no_texts(tmp_path, text):
    (tmp_path / "p.tsv").write_text(text)
    with pytest.raises(UserError, match="numbers among the first two, and no header"):
        list(FileCorpus(tmp_path / "p.tsv"))
    (tmp_path / "p.tsv").write_text("7\tseven\n8\teight\n")
    assert list(FileCorpus(tmp_path / "p.tsv")) == [("7", "seven"), ("8", "eight")]


def test_pairs_in_memory_that_are_none_are_left_out():
    pairs = [("a", "b"), ("a", None), ("a", "b", "c"), "ab", 5, ("\ud800", "b"), ["c", "d"]]
    corpus = ListCorpus(iter(pairs))
    for _ in range(2):
        assert list(corpus) == [("a", "b"), ("c", "d")]
    assert corpus.problems.counts == {"not a pair of texts": 4, "not valid Unicode": 1}
    assert [chunk.lines for chunk in corpus.chunks()] == [[1, 7]]
