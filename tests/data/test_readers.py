import gzip
import json
import os
import time
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.data import ListCorpus, holdout
from kerasseq.data.lists.lines import LINES_AT_ONCE
from kerasseq.data.text.lists import FileCorpus
from kerasseq.errors import UserError

PAIRS = [("A cat.", "Eine Katze."), ("Two\u2028dogs.", "Zwei\x85Hunde."), ("Köln", "科隆")]


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / name
        data = data.encode() if isinstance(data, str) else data
        (gzip.open if name.endswith(".gz") else open)(path, "wb").write(data)
        return str(path)

    return write


def lines(side, end="\n"):
    return "".join(pair[side] + end for pair in PAIRS)


def tabs(end="\n", more=""):
    return "".join("\t".join(pair) + more + end for pair in PAIRS)


def json_lines():
    return "".join(json.dumps({"source": s, "target": t, "id": 1}) + "\n" for s, t in PAIRS)


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tsv", tabs()),
        ("a.TSV", tabs(more="\tCC-BY\tmore")),
        ("a.tab", tabs("\r\n")),
        ("a.txt", tabs()[:-1]),
        ("a.tsv", "\ufeff" + tabs()),
        ("a.jsonl", json_lines()),
        ("a.ndjson", "\ufeff" + json_lines()[:-1]),
    ],
)
def test_one_file_of_pairs(write, name, data, gz):
    corpus = FileCorpus([write(name + gz, data)])
    assert list(corpus) == PAIRS == list(corpus)
    assert not len(corpus.problems)


@pytest.mark.parametrize("names", [("t.en", "t.de"), ("en.txt", "de.txt"), ("t.en.gz", "t.de")])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_two_aligned_files(write, names, end):
    files = [write(name, "\ufeff" * side + lines(side, end)) for side, name in enumerate(names)]
    assert list(FileCorpus(files)) == PAIRS
    assert list(FileCorpus(files, swap=True)) == [pair[::-1] for pair in PAIRS]


def test_the_last_line_needs_no_end(write):
    files = [write("a.en", lines(0)), write("a.de", lines(1)[:-1])]
    assert list(FileCorpus(files)) == PAIRS


@pytest.mark.parametrize("member", ["deu.txt", "x/pairs.tsv", "x/p.jsonl"])
def test_a_file_in_a_zip(tmp_path, member):
    path = str(tmp_path / "pairs.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_about.txt", "notes")
        archive.writestr("__MACOSX/x/._fra.txt", "junk")
        archive.writestr(member, json_lines() if member.endswith("jsonl") else tabs())
    corpus = FileCorpus([path])
    assert list(corpus) == PAIRS
    assert next(corpus.chunks()).place == f"{path}/{member}"


PO = r"""
msgid ""
msgstr "Content-Type: text/plain; charset={charset}\n"

#: a.c:1
msgid "A cat."
msgstr "Käse."

#, fuzzy
msgid "guess"
msgstr "Raten"

msgid "untranslated"
msgstr ""

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d Datei"
msgstr[1] "%d Dateien"

msgid ""
"two "
"lines\n"
msgstr "zwei Zeilen\n"

#~ msgid "old"
#~ msgstr "alt"
"""


@pytest.mark.parametrize("charset", ["UTF-8", "ISO-8859-1"])
@pytest.mark.parametrize("name", ["de.po", "de.po.gz"])
def test_gettext(write, name, charset):
    path = write(name, PO.format(charset=charset).encode(charset))
    assert list(FileCorpus([path])) == [
        ("A cat.", "Käse."),
        ("%d file", "%d Datei"),
        ("%d files", "%d Dateien"),
        ("two lines", "zwei Zeilen"),
    ]


def test_gettext_with_a_plural_without_forms_and_a_line_separator(write):
    entries = 'msgid "one"\nmsgid_plural "many"\nmsgstr "eins"\n\n'
    entries += 'msgid "two\u2028lines"\nmsgstr "zwei\u2028Zeilen"\n'
    corpus = FileCorpus([write("a.po", entries)])
    assert list(corpus) == [("one", "eins"), ("two\u2028lines", "zwei\u2028Zeilen")]


def test_several_files_of_pairs_follow_each_other(write):
    files = [write("a.tsv", tabs()), write("b.jsonl.gz", json_lines())]
    assert list(FileCorpus(files)) == PAIRS * 2


def test_bad_lines_are_counted_named_and_left_out(write):
    rows = [b"a\tb", b"only one column", b"\xff\xfe\tb", b"\tb", b"a\t \t", b"a\t" + b"x" * 99]
    path = write("a.tsv", b"\n".join(rows * 2 + [b"", b"c\td"]))
    corpus = FileCorpus([path], limit=50)
    assert list(corpus) == [("a", "b"), ("a", "b"), ("c", "d")]
    assert dict(corpus.problems.counts) == {
        "no tab between a source and a target": 2,
        "not valid UTF-8": 2,
        "the source is empty": 2,
        "the target is empty": 2,
        "longer than 50 characters": 2,
    }
    assert corpus.problems.named == [
        f"{path}:2: no tab between a source and a target",
        f"{path}:3: not valid UTF-8",
        f"{path}:4: the source is empty",
        f"{path}:5: the target is empty",
        f"{path}:6: longer than 50 characters",
    ]
    report = str(corpus.problems)
    assert report.startswith("10 left out: 2 × no tab") and report.endswith("and 5 more")
    list(corpus)
    assert len(corpus.problems) == 10


def test_bad_lines_of_aligned_files_name_the_side(write):
    source, target = write("a.en", b"a\n\nc\nd\n\xff\n"), write("a.de", b"A\nB\n \n\xff\nE\n")
    corpus = FileCorpus([source, target])
    assert list(corpus) == [("a", "A")]
    assert corpus.problems.named == [
        f"{source}:2: the source is empty",
        f"{target}:3: the target is empty",
        f"{target}:4: not valid UTF-8",
        f"{source}:5: not valid UTF-8",
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "not an object"),
        ('{"source": "a"}', "not an object"),
        ('{"source": "a", "target": null}', "not an object"),
        ('{"source": "a", "target": ""}', "the target is empty"),
        (r'{"source": "a", "target": "\ud800"}', "not valid Unicode"),
    ],
)
def test_bad_json_lines(write, line, kind):
    path = write("a.jsonl", line + '\n{"source": "a", "target": "b"}\n')
    corpus = FileCorpus([path])
    assert list(corpus) == [("a", "b")]
    assert corpus.problems.named[0].startswith(f"{path}:1: {kind}")


def test_line_numbers_go_on_across_chunks(write):
    rows = ["a\tb"] * LINES_AT_ONCE + ["bad", "c\td"]
    corpus = FileCorpus([write("a.tsv", "\n".join(rows))])
    *_, last = corpus.chunks()
    assert (last.source, list(last.lines)) == (["c"], [LINES_AT_ONCE + 2])
    assert corpus.problems.named[0].split(":")[1] == str(LINES_AT_ONCE + 1)


def test_files_of_different_length(write):
    files = [write("a.en", "x\n" * (3 * LINES_AT_ONCE)), write("a.de", "x\n" * (LINES_AT_ONCE + 2))]
    with pytest.raises(UserError, match=r"a.en has 24,576 lines and .*a.de has 8,194"):
        list(FileCorpus(files))
    with pytest.raises(UserError, match=r"a.de has 8,194 lines and .*a.en has 24,576"):
        list(FileCorpus(files[::-1]))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.en"], "a.en alone cannot be read"),
        (["a.en", "b.de", "c.fr"], "3 files cannot be read"),
        (["a.tsv", "b.de"], "b.de holds one side alone"),
        (["a.en", "a.en"], "both as source and as target"),
        ([], "0 files"),
    ],
)
def test_names_that_tell_no_format(write, names, message):
    with pytest.raises(UserError, match=message):
        FileCorpus([write(name, tabs()) for name in names])


def zip_bytes(names, tmp_path):
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, tabs() * 50)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.tsv", lambda _: b"", "there is nothing in it"),
        ("a.po", lambda _: b"", "there is nothing in it"),
        ("a.tsv", lambda _: b"one\n\ntwo\n", "nothing but bad lines\\.\n .*a.tsv:1: no tab"),
        ("a.po", lambda _: b'msgid "x\nmsgstr', "not a gettext file"),
        ("a.zip", lambda _: b"PK no zip", "not a whole zip file"),
        ("a.zip", lambda path: zip_bytes(["a.tsv"], path)[:-30], "not a whole zip file"),
        ("a.zip", lambda path: zip_bytes(["a.tsv", "b.txt"], path), "has a.tsv, b.txt"),
        ("a.zip", lambda path: zip_bytes(["_about.txt", "x.pdf"], path), "has no .tsv"),
    ],
)
def test_broken_files(write, tmp_path, name, make, message):
    path = write(name, make(tmp_path))
    with pytest.raises(UserError, match=message):
        list(FileCorpus([path]))


@pytest.mark.parametrize("damage", [lambda data: data[:-40], lambda data: b"no gzip" + data])
def test_broken_gzip(tmp_path, damage):
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(damage(gzip.compress(os.urandom(20_000).hex().encode())))
    with pytest.raises(UserError, match="not a whole gzip file"):
        list(FileCorpus([str(path)]))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(UserError, match="nowhere.tsv does not exist"):
        FileCorpus([tmp_path / "nowhere.tsv"])
    with pytest.raises(UserError, match="is a folder"):
        FileCorpus([tmp_path])


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]))] * 2)))
@settings(max_examples=100, deadline=None)
def test_json_lines_hold_any_text(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("any") / "a.jsonl"
    rows = [json.dumps({"source": s, "target": t}, ensure_ascii=False) for s, t in pairs]
    path.write_text("\n".join([*rows, '{"source": "a", "target": "b"}']), "utf-8", newline="")
    whole = [pair for pair in pairs if all(text.strip() for text in pair)]
    assert list(FileCorpus([path])) == [*whole, ("a", "b")]


def test_reading_is_lazy(write):
    path = write("a.tsv", "some words to fill the line\tand as many once again\n" * 100_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in FileCorpus([path])) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_a_changed_file_changes_the_fingerprint(write):
    path = write("a.tsv", tabs())
    before = FileCorpus([path]).fingerprint()
    assert FileCorpus([path]).fingerprint() == before != FileCorpus([path], swap=True).fingerprint()
    write("a.tsv", tabs() + "a\tb")
    assert FileCorpus([path]).fingerprint() != before


MANY = ListCorpus([(f"Source {i % 700}", f"target {i}") for i in range(1000)])


@pytest.mark.parametrize("size", [1, 50, 0.1])
def test_holdout_keeps_equal_sources_together(size):
    rest, part = holdout(MANY, size, seed=3)
    rest, part = list(rest), list(part)
    assert sorted(rest + part) == sorted(MANY)
    assert not {source for source, _ in rest} & {source for source, _ in part}
    wanted = size if size >= 1 else 100
    assert wanted <= len(part) <= wanted + 1


def test_holdout_is_repeatable_and_does_not_depend_on_order():
    shuffled = ListCorpus(sorted(MANY, key=lambda pair: pair[1][::-1]))
    parts = [sorted(holdout(corpus, 100, seed=1)[1]) for corpus in (MANY, MANY, shuffled)]
    assert parts[0] == parts[1] == parts[2] != sorted(holdout(MANY, 100, seed=2)[1])


def test_holdout_takes_capitals_and_outer_space_for_equal():
    corpus = ListCorpus([(text, str(i)) for i, text in enumerate(["Go!", " go! ", "GO!", "No"])])
    assert {len(list(part)) for part in holdout(corpus, 1)} == {1, 3}


def test_holdout_from_too_little():
    with pytest.raises(UserError, match="1 different sources"):
        holdout(ListCorpus([("a", "b"), ("A", "c")]), 1)
    with pytest.raises(UserError, match="1,000 pairs cannot be held out of 1,000"):
        holdout(MANY, 1000)


def test_parts_know_where_their_pairs_come_from_and_what_was_left_out(write):
    path = write("a.tsv", "".join(f"{i}\tx\n" for i in range(100)) + "bad\n")
    rest, part = holdout(FileCorpus([path]), 20)
    for chunk in [*rest.chunks(), *part.chunks()]:
        assert [int(source) + 1 for source in chunk.source] == list(chunk.lines)
    assert len(part.problems) == 1
    assert rest.fingerprint() != part.fingerprint()


def test_a_gettext_text_of_many_lines(write):
    """Quotes that follow each other are one text; comments and obsolete entries do not count."""
    entry = 'msgid ""\n"a "\n  "b\\n"\n"\\"c\\""\nmsgstr "x"\n"y"\n\n'
    old = '#~ msgid ""\n#~ "a"\n#~ "b"\n#~ msgstr "c"\n\n'
    text = "# a comment\n#. more\n#: place:1\n" + entry + old + '#, fuzzy\nmsgid "d"\nmsgstr "e"\n'
    corpus = FileCorpus([write("a.po", text.encode())])
    (chunk,) = corpus.chunks()
    assert (chunk.source, chunk.target) == (['a b "c"'], ["xy"])


def test_a_gettext_text_of_very_many_lines(write):
    many = b"# a\n" * 300_000 + b'msgid ""\n' + b'"a"\n' * 300_000 + b'msgstr "b"\n\n'
    corpus = FileCorpus([write("a.po", many + b'msgid "c"\nmsgstr "d"\n')])
    start = time.process_time()
    (chunk,) = corpus.chunks()
    assert time.process_time() - start < 8
    assert chunk.source == ["c"]
    assert corpus.problems.counts == {"longer than 10,000 characters": 1}
