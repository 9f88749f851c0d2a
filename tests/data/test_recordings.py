import json
import tarfile

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kerasseq.data import RecordingCorpus, holdout
from kerasseq.data.public import datasets
from kerasseq.data.public.fetch import fetch
from kerasseq.data.sound.recordings import speaker_folder
from kerasseq.errors import UserError

soundfile = pytest.importorskip("soundfile")
RATE = 8000


def sound(path, seconds=0.2):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.full(int(seconds * RATE), 7, np.int16)
    soundfile.write(path, samples, RATE, format="NIST" if path.suffix == ".sph" else None)


@pytest.fixture
def folder(tmp_path):
    for name in "abc":
        sound(tmp_path / "wav" / f"{name}.wav")
    return tmp_path


def rows(corpus):
    return [(some.path.rpartition("/")[2], some.text, some.line) for some in corpus]


ROWS = [("a.wav", "one two"), ("b.wav", "three")]


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("l.tsv", "wav/a.wav\tone two\nwav/b.wav\tthree\tmore\n", 1),
        ("l.txt", "client\tpath\tsentence\n1\twav/a.wav\tone two\r\n2\twav/b.wav\tthree", 2),
        ("l.csv", 'text,file\n"one two",wav/a.wav\nthree,wav/b.wav\n', 2),
        ("metadata.csv", "file_name,transcription\nwav/a.wav,one two\nwav/b.wav,three\n", 2),
        (
            "metadata.jsonl",
            '{"file_name": "wav/a.wav", "text": "one two"}\n'
            '{"file_name": "wav/b.wav", "text": "three"}',
            1,
        ),
        (
            "nemo.json",
            '{"audio_filepath": "wav/a.wav", "text": "one two", "duration": 0.2}\n'
            '{"audio_filepath": "wav/b.wav", "text": "three", "duration": 9}\n',
            1,
        ),
    ],
)
def test_lists(folder, name, text, first):
    (folder / name).write_text(text)
    expected = [(*row, first + place) for place, row in enumerate(ROWS)]
    corpora = [RecordingCorpus([folder / name])]
    if name.startswith("metadata"):
        corpora.append(RecordingCorpus([folder]))
    for corpus in corpora:
        assert rows(corpus) == rows(corpus) == expected
        assert not len(corpus.problems) and list(corpus.texts()) == ["one two", "three"]
        assert all((some.start, some.end) == (0, None) for some in corpus)


def test_a_manifest_names_parts_of_files(folder):
    line = {"audio_filepath": str(folder / "wav/a.wav"), "text": "x", "offset": 0.05}
    text = json.dumps({**line, "duration": 0.1}) + "\n" + json.dumps(line)
    (folder / "m.jsonl").write_text(text)
    corpus = RecordingCorpus([folder / "m.jsonl"])
    first, second = corpus
    assert (first.start, round(first.end, 6)) == (0.05, 0.15)
    assert (second.start, second.end) == (0.05, None)
    with corpus.reader(RATE) as read:
        assert [len(read(some)) for some in (first, second)] == [800, 1200]


def kaldi(folder, segments=None):
    (folder / "wav.scp").write_text("a wav/a.wav\nb  wav/b.wav\nd wav/d.wav\nc wav/c.wav\n")
    (folder / "text").write_text("a one two\nb three\nd four\ns1 one\ns2 two\ns3 no\n")
    if segments:
        (folder / "segments").write_text(segments)
    return RecordingCorpus([folder])


def test_kaldi(folder):
    corpus = kaldi(folder)
    assert rows(corpus) == [(*row, place) for place, row in enumerate(ROWS, 1)]
    assert corpus.problems.counts == {
        "there is no such recording": 1,
        "no transcript in the file text": 1,
    }
    assert f"{folder / 'wav.scp'}:3: there is no such recording" in str(corpus.problems)


def test_kaldi_segments(folder):
    corpus = kaldi(folder, "s1 a 0 0.1\ns2 b 0.1 -1\ns3 x 0 1\ns4 a 0 1\ns5 a 0\n")
    assert [(some.text, some.start, some.end) for some in corpus] == [
        ("one", 0, 0.1),
        ("two", 0.1, None),
    ]
    assert sorted(corpus.problems.counts) == [
        "no such recording in wav.scp",
        "no transcript in the file text",
        "not the names of a segment and a recording, a start and an end",
    ]


def test_what_is_piped_is_left_out(folder):
    (folder / "wav.scp").write_text("a wav/a.wav\nb sph2pipe -f wav b.sph |\n")
    (folder / "text").write_text("a one\nb two\n")
    corpus = RecordingCorpus([folder])
    assert rows(corpus) == [("a.wav", "one", 1)]
    assert [line.partition(": ")[0] for line in corpus.problems.named] == [f"{folder}/wav.scp:2"]
    assert [*corpus.problems.counts][0].startswith("piped through a program, which is not run")


def test_problems_are_counted_and_named(folder):
    (folder / "l.tsv").write_bytes(
        b"wav/a.wav\tone\nwav/a.wav\t \nno tab\nwav/none.wav\ttwo\nwav/b.wav\t\xff\n\n"
    )
    corpus = RecordingCorpus([folder / "l.tsv"])
    assert rows(corpus) == [("a.wav", "one", 1)]
    assert sorted(corpus.problems.counts) == [
        "no path and text with a tab or comma between",
        "not valid UTF-8",
        "the transcript is empty",
        "there is no such recording",
    ]
    assert f"{folder / 'l.tsv'}:4: there is no such recording ({folder}/wav/none.wav)" in (
        corpus.problems.named
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "", "nothing in it"),
        ("a.tsv", "wav/x.wav\tone\n", "nothing but bad lines.\n .*a.tsv:1: there is no such rec"),
        ("a.csv", "x,y,z\n", "a.csv:1: the header must name"),
        ("a.jsonl", "[1]\n{}\nnot\n", "a.jsonl:3: not JSON"),
        ("a.doc", "x", "cannot be read as a list"),
        ("wav.scp", "a wav/a.wav", "wav.scp but no text"),
    ],
)
def test_errors(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(UserError, match=message):
        list(RecordingCorpus([folder / name]))


def test_more_errors(folder):
    for lists, message in (
        ([], "at least one"),
        ([folder], "no folder of recordings"),
        ([folder / "x.tsv"], "does not exist"),
    ):
        with pytest.raises(UserError, match=message):
            RecordingCorpus(lists)


@example(['"', '"'])
@given(st.lists(st.text(st.characters(exclude_characters="\t\n\r\0", codec="utf-8")), min_size=1))
@settings(deadline=None)
def test_any_text_of_a_tab_separated_list_comes_back(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("any")
    sound(folder / "a.wav")
    said = ["begin", *texts]
    (folder / "l.tsv").write_bytes("".join(f"a.wav\t{text}\n" for text in said).encode())
    corpus = RecordingCorpus([folder / "l.tsv"])
    assert list(corpus.texts()) == [text.strip() for text in said if text.strip()]
    assert len(corpus.problems) == len(said) - len(list(corpus))


def test_the_fingerprint_follows_lists_and_sounds(folder):
    (folder / "l.tsv").write_text("wav/a.wav\tone\n")
    prints = [RecordingCorpus([folder / "l.tsv"]).fingerprint() for _ in range(2)]
    sound(folder / "wav/a.wav", 0.3)
    prints.append(RecordingCorpus([folder / "l.tsv"]).fingerprint())
    (folder / "l.tsv").write_text("wav/a.wav\ttwo\n")
    prints.append(RecordingCorpus([folder / "l.tsv"]).fingerprint())
    assert prints[0] == prints[1] and len(set(prints)) == 3


def test_holdout_keeps_groups_together(folder):
    lines = [f"{speaker}/{i}.wav\ttext\n" for speaker in "uvwxyz" for i in range(4)]
    for line in lines:
        sound(folder / line.split("\t")[0])
    (folder / "l.tsv").write_text("".join(lines))
    corpus = RecordingCorpus([folder / "l.tsv"])
    rest, part = holdout(corpus, 7, group=speaker_folder)
    speakers = [{speaker_folder(some) for some in half} for half in (rest, part)]
    assert [len(some) for some in speakers] == [4, 2] and not speakers[0] & speakers[1]
    assert sorted([*rest, *part]) == sorted(corpus)
    assert len({half.fingerprint() for half in (rest, part, corpus)}) == 3
    (folder / "l.tsv").write_text("".join(reversed(lines)))
    assert {some.path for some in holdout(corpus, 7, group=speaker_folder)[1]} == {
        some.path for some in part
    }
    with pytest.raises(UserError, match="24 recordings cannot be held out of 24"):
        holdout(corpus, 24)


# Public sets.


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".sph"])
def test_an4_in_its_official_layout(tmp_path, suffix):
    folder = tmp_path / "an4"
    (folder / "etc").mkdir(parents=True)
    for part, count in (("train", 18), ("test", 2)):
        ids = [f"an4{part}/s{i // 2}/an{i}-s{i // 2}-b" for i in range(count)]
        for name in ids:
            sound(folder / "wav" / f"{name}{suffix}", 0.05)
        (folder / f"etc/an4_{part}.fileids").write_text("\n".join(ids) + "\n")
        mark = ("<s> ", " </s>") if part == "train" else ("", "")
        (folder / f"etc/an4_{part}.transcription").write_text(
            "".join(f"{mark[0]}GO {i}{mark[1]} (an{i}-s{i // 2}-b)\n" for i in range(count))
        )
    with pytest.raises(UserError, match="100 recordings cannot be held out of 18"):
        datasets.recordings("an4", tmp_path)
    lines = (folder / "etc/an4_train.transcription").read_text().splitlines()
    lines[1] = "GO (other)"
    (folder / "etc/an4_train.transcription").write_text("\n".join(lines))
    whole = datasets.find("an4").split.__globals__["_read"](folder, "train")
    found = [row if isinstance(row, str) else row.text for _, _, row in whole]
    assert found[0] == "GO 0" and "not the transcript" in found[1] and found[-1] == "GO 17"


def test_an4_is_cut_by_speaker(tmp_path):
    pytest.importorskip("soxr")
    folder = tmp_path / "an4"
    (folder / "etc").mkdir(parents=True)
    for part, count in (("train", 260), ("test", 2)):
        ids = [f"an4{part}/s{i // 13}/an{i}-s{i // 13}-b" for i in range(count)]
        for name in ids:
            path = folder / "wav" / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (folder / f"etc/an4_{part}.fileids").write_text("\n".join(ids) + "\n")
        (folder / f"etc/an4_{part}.transcription").write_text(
            "".join(f"YES ({name.rpartition('/')[2]})\n" for name in ids)
        )
    parts = {part: list(some) for part, some in datasets.recordings("an4", tmp_path).items()}
    assert {part: len(some) for part, some in parts.items()} == {
        "train": 156,
        "valid": 104,
        "test": 2,
    }
    speakers = {part: {speaker_folder(one) for one in some} for part, some in parts.items()}
    assert not speakers["train"] & speakers["valid"]


def test_fsdd_in_its_official_split(tmp_path):
    for index in (0, 4, 5, 44, 45, 49):
        sound(tmp_path / "recordings" / f"7_theo_{index}.wav", 0.05)
    sound(tmp_path / "recordings" / "notes.wav")
    parts = datasets.recordings("fsdd", tmp_path)
    assert {part: [row[:2] for row in rows(some)] for part, some in parts.items()} == {
        "train": [("7_theo_44.wav", "seven"), ("7_theo_5.wav", "seven")],
        "valid": [("7_theo_45.wav", "seven"), ("7_theo_49.wav", "seven")],
        "test": [("7_theo_0.wav", "seven"), ("7_theo_4.wav", "seven")],
    }
    assert len(parts["test"].problems) == 1


def test_librispeech_in_its_official_layout(tmp_path):
    for part in ("train-clean-100", "dev-clean", "test-clean"):
        chapter = tmp_path / "LibriSpeech" / part / "19" / "198"
        sound(chapter / "19-198-0000.flac")
        (chapter / "19-198.trans.txt").write_text(f"19-198-0000 {part.upper()}\n")
    parts = datasets.recordings("librispeech", tmp_path)
    assert list(parts["valid"].texts()) == ["DEV-CLEAN"]
    corpus = RecordingCorpus([tmp_path / "LibriSpeech" / "test-clean"])
    assert rows(corpus) == [("19-198-0000.flac", "TEST-CLEAN", 1)]
    assert [some.speaker for some in corpus] == ["19"]


def test_sets_that_are_not_there(tmp_path):
    with pytest.raises(UserError, match="datasets fetch an4` fetches it or says"):
        datasets.recordings("an4", tmp_path)
    with pytest.raises(UserError, match="fetched by hand into .*an4_sphere.tar.gz"):
        fetch("an4", tmp_path)
    with pytest.raises(UserError, match="an4 is sound: use it with `kerasseq train speech-rec"):
        datasets.pairs("an4", data_dir=tmp_path)
    with pytest.raises(UserError, match="multi30k is text: use it with `kerasseq train transl"):
        datasets.recordings("multi30k")


def test_an_archive_gives_way_to_its_folder(tmp_path, monkeypatch):
    sound(tmp_path / "made/LibriSpeech/dev-clean/1/2/1-2-0.flac")

    def fetch_file(file, folder, report):
        with tarfile.open(folder / file.name, "w:gz") as tar:
            name = file.unpacks
            tar.add(tmp_path / "made/LibriSpeech/dev-clean", f"LibriSpeech/{name}")
        asked.append(file.name)
        return folder / file.name

    asked = []
    monkeypatch.setattr("kerasseq.data.public.fetch.fetch_file", fetch_file)
    for _ in range(2):
        folder = fetch("librispeech", tmp_path / "data")
        names = ["dev-clean", "test-clean", "train-clean-100"]
        assert sorted(path.name for path in folder.iterdir()) == names
        assert (folder / "test-clean/1/2/1-2-0.flac").is_file()
    assert len(asked) == 3
