"""The inspection of data: each thing that is wrong is counted and named."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.data import ListCorpus, PictureCorpus, RecordingCorpus
from kerasseq.data.inspection import report as reports
from kerasseq.data.inspection.advice import advise
from kerasseq.data.inspection.corpora import find_kind, open_files
from kerasseq.data.inspection.findings import WORST, Finding, find_worst, write_sentences
from kerasseq.data.inspection.lines import describe
from kerasseq.data.inspection.report import PARTS, inspect, to_dict
from kerasseq.data.inspection.sounds import count_ctc_steps, count_ctc_units, measure_levels
from kerasseq.data.inspection.texts import find_odd_characters, find_outliers
from kerasseq.errors import UserError

soundfile = pytest.importorskip("soundfile")
RATE = 8000


def found(result, part="train"):
    """The lines that each check objects to, by its name."""
    return {
        one.check: sorted(item.line for item in one.items()) or one.count
        for one in result.findings
        if one.part == part
    }


def tone(seconds, level=8000):
    return np.int16(level * np.sin(np.arange(round(seconds * RATE)) * 0.3))


def write_list(folder, rows):
    """A list of recordings: (name, samples or bytes, text) of each."""
    for name, samples, _ in rows:
        if isinstance(samples, bytes):
            (folder / name).write_bytes(samples)
        elif samples is not None:
            soundfile.write(folder / name, samples, RATE)
    path = folder / "list.tsv"
    path.write_text("".join(f"{name}\t{text}\n" for name, _, text in rows), encoding="utf-8")
    return path


def test_pairs():
    usual = [(f"sentence number {i}", f"Satz Nummer {i}") for i in range(40)]
    odd = [
        ("the same", "the same "),
        ("sentence number 3", "Satz Nummer 3"),
        ("a long sentence with one word", "x"),
        ("fÃ¼r", "for me"),
        ("zero\u200bwidth", "zero width it is"),
    ]
    test = [("SENTENCE NUMBER 7 ", "anything else"), ("new words", "neue Worte")]
    parts = {"train": ListCorpus(usual + odd), "test": ListCorpus(test)}
    result = inspect("text", "pairs", parts)
    assert found(result) == {
        "encoding": [44],
        "ratio": [43],
        "copy": [41],
        "duplicate": [42],
        "odd_characters": [45],
    }
    assert found(result, "test") == {"source_in_training": [1]}
    assert result.findings[0].check == "source_in_training"
    assert find_worst(result.findings)[0][1].why == "the source is that of pairs:8"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text(max_size=40)),
        min_size=1,
        max_size=30,
    )
)
def test_any_pairs_give_lines_and_json(pairs):
    result = inspect("text", "any", {"train": ListCorpus(pairs)})
    assert all(isinstance(line, str) for line in describe(result))
    whole = json.loads(json.dumps(to_dict(result)))
    assert len(whole["worst"]) <= WORST
    usable = whole["parts"]["train"]
    assert usable["examples"] + usable["left_out"]["counts"].get("not valid Unicode", 0) == len(
        pairs
    )


def test_recordings(tmp_path):
    clipped = np.int16(np.clip(np.float32(tone(0.5)) * 10, -32768, 32767))
    click = np.zeros(RATE, np.int16)
    click[4000:4100] = tone(100 / RATE)
    rows = [
        ("good.wav", tone(1), "one two"),
        ("silent.wav", np.zeros(RATE, np.int16), "three"),
        ("clipped.wav", clipped, "four"),
        ("click.wav", click, "five"),
        ("short.wav", tone(0.3), "far too long a text for it"),
        ("broken.wav", b"no sound at all", "six"),
        ("missing.wav", None, "seven"),
        ("copy.wav", tone(1), "one two"),
        ("long.wav", tone(21), "a long one"),
    ]
    result = inspect("sound", "list", {"train": RecordingCorpus(write_list(tmp_path, rows))})
    assert found(result) == {
        "left_out": [7],
        "unreadable": [6],
        "silent": [2],
        "too_long_for_ctc": [5],
        "nearly_empty": [4],
        "clipped": [3],
        "same_file": [8],
        "too_long": [9],
    }
    lines = list(describe(result))
    worst = lines[lines.index("The worst:") + 1 :]
    assert f"  {tmp_path / 'list.tsv'}:5: 26 characters in 0.30 s" in worst and len(worst) == 8


def test_parts_share_recordings_and_speakers(tmp_path):
    for place in range(4):
        soundfile.write(tmp_path / f"{place}.wav", tone(0.5, 5000 + place), RATE)
    head = "path\ttext\tspeaker\n"
    (tmp_path / "a.tsv").write_text(f"{head}0.wav\tone\tann\n1.wav\ttwo\tbob\n")
    (tmp_path / "b.tsv").write_text(f"{head}1.wav\ttwo\tbob\n2.wav\tone\tann\n3.wav\tsix\tcat\n")
    lists = {"train": "a.tsv", "test": "b.tsv"}
    parts = {part: RecordingCorpus(tmp_path / name) for part, name in lists.items()}
    result = inspect("sound", "x", parts)
    assert found(result, "test") == {
        "source_in_training": [2],
        "speaker_in_training": 2,
        "text_in_training": 2,
    }
    sentences = " ".join(write_sentences(result.findings, PARTS))
    assert "2 of 3 test recordings: the training part has other recordings of" in sentences
    assert "the speaker (2 of 3 speakers). Scores say little about new speakers." in sentences


def test_pictures(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    arrays = {
        "good.png": rng.integers(0, 255, (40, 50, 3)),
        "red.png": np.full((40, 50, 3), (200, 0, 0)),
        "tiny.png": rng.integers(0, 255, (8, 50, 3)),
    }
    for name, pixels in arrays.items():
        pillow.fromarray(pixels.astype(np.uint8)).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"\x89PNG nothing")
    names = [*arrays, "bad.png"]
    (tmp_path / "l.tsv").write_text("".join(f"{name}\ta picture\n" for name in names))
    result = inspect("picture", "l", {"train": PictureCorpus(tmp_path / "l.tsv")})
    assert found(result) == {"unreadable": [4], "one_colour": [2], "tiny": [3]}


def test_of_many_files_some_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "MAX_DECODED", 2)
    rows = [(f"{i}.wav", np.zeros(RATE + i, np.int16), "x") for i in range(5)]
    result = inspect("sound", "list", {"train": RecordingCorpus(write_list(tmp_path, rows))})
    assert result.decoded == {"train": 2} and found(result)["silent"] == [1, 5]
    assert "2 of 5 training recordings were decoded, from all over them." in describe(result)


def test_ctc_needs_a_step_for_each_unit_and_between_equal_ones():
    assert [count_ctc_units(text) for text in ("", "a", "ab", "aab", "a  b ", "aaa")] == [
        *(0, 1, 2, 4, 3, 5)
    ]
    # A window of 25 ms every 10 ms, and every fourth of them.
    assert count_ctc_steps(np.array([0.02, 0.025, 0.055, 0.065, 1.0])).tolist() == [0, 1, 1, 2, 25]


def test_levels():
    levels = measure_levels(tone(1), RATE)
    assert (round(levels.peak, -1), levels.clipped, round(levels.active, 2)) == (8000, 0, 1)
    for gain in (32_767, 5000):  # clipped, and made quieter afterwards
        clipped = np.int16(np.clip(tone(1) / 4000, -1, 1) * gain)
        assert 0.4 < measure_levels(clipped, RATE).clipped < 0.7
    half = measure_levels(np.concatenate([tone(0.5), np.zeros(RATE // 2, np.int16)]), RATE)
    assert round(half.active, 1) == 0.5
    offset = measure_levels(np.full(RATE, 20_000, np.int16), RATE)
    assert (offset.peak, offset.active) == (0.0, 0.0)  # of a direct current nothing is heard


def test_odd_characters():
    usual = dict.fromkeys("abcdefghij klmnopqrstuvwxyz.,!é", 1000) | {"\u200d": 1, "\t": 3}
    assert find_odd_characters(usual) == []
    odd = find_odd_characters(usual | {"я": 2, "\u200b": 3, "\xa0": 1})
    assert [(one.name, one.count) for one in odd] == [
        ("ZERO WIDTH SPACE", 3),
        ("CYRILLIC SMALL LETTER YA", 2),
        ("NO-BREAK SPACE", 1),
    ]
    japanese = dict.fromkeys("日本語かな", 1000) | dict.fromkeys("々ー\u3000カ", 1)
    assert find_odd_characters(japanese) == []


def test_outliers():
    ratios = np.ones(50)
    ratios[[3, 7, 9]] = 10, 2, np.nan
    assert np.flatnonzero(find_outliers(ratios, np.ones(50))).tolist() == [3]
    assert not find_outliers(np.array([1.0, 100.0]), np.ones(2)).any()  # too few to tell


def test_the_first_of_equally_bad_examples_are_named():
    finding = Finding("copy", "train", 100, "pairs")
    for line in range(1, 50):
        finding.add(line == 30, "l", line, "why")
    assert [item.line for item in finding.items()] == [30, *range(1, 10)]
    assert finding.count == 49 and len(find_worst([finding])) == WORST


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.tsv", "one\teins\n", "text"),
        ("a.tsv", "look at a.wav\tsieh a.wav an\nx\ty\nx\ty\nx\ty\n", "text"),
        ("a.tsv", "a.wav\tone\n", "sound"),
        ("a.csv", 'text,path\n"a, b","x y.FLAC"\n', "sound"),
        ("a.jsonl", '{"audio_filepath": "a.mp3", "text": "x"}\n', "sound"),
        ("a.txt", "b.jpg#0\ta dog\nb.jpg#1\tan animal\n", "picture"),
        ("a.json", '{"images": [{"file_name": "a.jpg", "id": 1}], "annotations": []}', "picture"),
        ("a.csv", "image;caption\na.webp;x\n", "picture"),
        ("a.po", "", "text"),
        ("a.de", "x\n", "text"),
        ("a.tsv", "", "text"),
    ],
)
def test_the_kind_is_seen_in_the_file(tmp_path, name, text, kind):
    (tmp_path / name).write_text(text)
    assert find_kind([str(tmp_path / name)]) == kind


def test_folders_and_lists_without_endings(tmp_path):
    (tmp_path / "wavs").mkdir()
    soundfile.write(tmp_path / "wavs" / "LJ1.wav", tone(1), RATE)
    (tmp_path / "metadata.csv").write_text("LJ1|One.|One.\n")
    assert find_kind([str(tmp_path)]) == find_kind([str(tmp_path / "metadata.csv")]) == "sound"
    with pytest.raises(UserError, match="no folder of a data set"):
        find_kind([str(tmp_path / "wavs")])
    (tmp_path / "v.tsv").write_text("a.webm\tx\n")
    with pytest.raises(UserError, match="say --head"):
        find_kind([str(tmp_path / "v.tsv")])


def test_a_bad_list_is_left_out(tmp_path):
    (tmp_path / "a.tsv").write_text("one\teins\ntwo\tzwei\n")
    files = [str(tmp_path / "a.tsv"), str(tmp_path / "missing.tsv")]
    opened = open_files({"train": files, "test": [files[1]]})
    assert [pair for pair in opened.parts["train"]] == [("one", "eins"), ("two", "zwei")]
    assert "missing.tsv does not exist" in opened.errors[files[1]]
    assert "does not exist" in opened.errors["test"]
    with pytest.raises(UserError, match="does not exist"):
        open_files({"train": files[1:]})
    with pytest.raises(UserError, match="--images is for lists of pictures"):
        open_files({"train": files}, images="x")


def test_advice_on_pairs():
    pairs = [(f"source {i}", f"target {i}") for i in range(100)]
    train, other = ListCorpus(pairs), ListCorpus([("new", "neu")] * 3 + pairs[:1])
    shared, few = advise({"train": train, "valid": None, "test": other})
    assert shared.startswith("1 of 4 test pairs read what is in the training part too")
    assert few.startswith("100 pairs are few: 99 % of the 101 different target words come")
    (repeated, _) = advise({"train": ListCorpus(pairs + pairs[:50])})
    assert repeated.startswith("50 of 150 training pairs repeat others")
    assert advise({"train": ListCorpus([(f"s {i}", "a b c") for i in range(9)])}) == []


def test_advice_on_recordings(tmp_path):
    rows = [(f"{i}.wav", tone(1, 5000 + i), f"word{i}") for i in range(5)]
    rows.append(("short.wav", tone(0.1), "too long for it"))
    train = RecordingCorpus(write_list(tmp_path, rows))
    ctc, few = advise({"train": train})
    assert ctc.startswith("1 of 6 transcripts have more characters than CTC can write")
    assert few.startswith("0 minutes of sound are few: 100 % of the 9 different words come")
    lines = "path\ttext\tspeaker\n" + "".join(f"{i}.wav\ta\tann\n" for i in range(5))
    (tmp_path / "ann.tsv").write_text(lines)
    one = RecordingCorpus(tmp_path / "ann.tsv")
    assert advise({"train": one}) == [
        "All training recordings are of one speaker: others will be understood less well."
    ]
    (tmp_path / "two.tsv").write_text(lines.replace("0.wav\ta\tann", "0.wav\ta\tbob"))
    (tmp_path / "bob.tsv").write_text("path\ttext\tspeaker\n5.wav\ta\tbob\n")
    soundfile.write(tmp_path / "5.wav", tone(1), RATE)
    parts = {"train": "two.tsv", "test": "bob.tsv"}
    (same,) = advise({part: RecordingCorpus(tmp_path / name) for part, name in parts.items()})
    assert same.startswith("1 of 1 test recordings are by speakers of the training part")
