"""The survey of a corpus: counts of texts, sound and pictures, without decoding."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.data import ListCorpus, PictureCorpus, RecordingCorpus, survey
from kerasseq.data.sound import facts as sound_facts

soundfile = pytest.importorskip("soundfile")


def write_sound(path, seconds, rate=8000):
    soundfile.write(path, np.full(round(seconds * rate), 7, "int16"), rate)
    return path


def test_pairs():
    target = survey(ListCorpus([("a b", "x x x x"), ("ä", "x y")])).target
    assert (target.texts, target.words, target.characters) == (2, 6, 10)
    assert (target.distinct_words, target.distinct_characters) == (2, 3)
    assert (target.frequent_share, target.mean_words, target.longest_words) == (0.5, 3.0, 4)
    assert (target.mean_characters, target.longest_characters) == (5.0, 7)
    assert target.word_counts == {"x": 5, "y": 1}


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9)))
def test_counts_of_any_texts(texts):
    pairs = [(text, text[::-1]) for text in texts]
    facts = survey(ListCorpus(pairs))
    source = facts.source
    assert (facts.kind, facts.examples, source.texts) == ("text", len(pairs), len(pairs))
    assert source.words == sum(len(text.split()) for text in texts) == source.words_each.sum()
    assert source.character_counts == Counter("".join(texts))
    assert source.character_counts == facts.target.character_counts
    assert 0 <= source.frequent_share <= 1


def test_recordings_by_their_headers(tmp_path):
    write_sound(tmp_path / "a.wav", 0.5)
    write_sound(tmp_path / "b.flac", 1.5, 16000)
    (tmp_path / "c.wav").write_bytes(b"RIFF")
    rows = [("a.wav", "one"), ("b.flac", "two two"), ("c.wav", "three")]
    table = "".join(f"{path}\t{text}\n" for path, text in rows)
    (tmp_path / "list.tsv").write_text(table)
    facts = survey(RecordingCorpus(tmp_path / "list.tsv"))
    sound = facts.sound
    assert (facts.kind, facts.examples, facts.target.words) == ("sound", 3, 4)
    assert (sound.measured, sound.unreadable, sound.rates) == (2, 1, {8000: 1, 16000: 1})
    assert (sound.mean_seconds, sound.longest_seconds, sound.seconds) == (1.0, 1.5, 3.0)
    assert (sound.speakers, facts.source, facts.pictures) == (0, None, None)
    np.testing.assert_allclose(sound.seconds_each, [0.5, 1.5, np.nan])


def test_parts_of_files_are_as_long_as_the_list_says(tmp_path):
    write_sound(tmp_path / "a.wav", 2)
    times = [{"start": 0.5, "end": 0.75}, {"offset": 1.5}, {"offset": 3}]
    rows = [json.dumps({"audio_filepath": "a.wav", "text": "x", **some}) for some in times]
    (tmp_path / "m.jsonl").write_text("\n".join(rows))
    seconds = survey(RecordingCorpus(tmp_path / "m.jsonl")).sound.seconds_each
    np.testing.assert_allclose(seconds, [0.25, 0.5, np.nan])


def test_of_many_recordings_some_are_measured(tmp_path, monkeypatch):
    for place in range(5):
        write_sound(tmp_path / f"{place}.wav", 0.1 * (place + 1))
    (tmp_path / "l.tsv").write_text("".join(f"{place}.wav\tx\n" for place in range(5)))
    monkeypatch.setattr(sound_facts, "MAX_HEADERS", 3)
    sound = survey(RecordingCorpus(tmp_path / "l.tsv")).sound
    assert np.isnan(sound.seconds_each).tolist() == [False, True, False, True, False]
    assert (sound.measured, round(sound.seconds, 4)) == (3, 1.5)


@pytest.mark.parametrize("name", ["l.tsv", "m.jsonl", "kaldi", "segments"])
def test_speakers_are_read_where_lists_have_them(tmp_path, name):
    write_sound(tmp_path / "a.wav", 1)
    path = tmp_path / name
    if name == "l.tsv":
        path.write_text("client_id\tpath\tsentence\nann\ta.wav\tx\n\ta.wav\ty\n")
    elif name == "m.jsonl":
        row = {"audio_filepath": "a.wav", "text": "x"}
        path.write_text(json.dumps({**row, "speaker_id": "ann"}) + "\n" + json.dumps(row))
    else:
        path.mkdir()
        (path / "wav.scp").write_text("u1 ../a.wav\nu2 ../a.wav\n")
        (path / "text").write_text("u1 x\nu2 y\n")
        (path / "utt2spk").write_text("u1 ann\n")
        if name == "segments":
            (path / "segments").write_text("u1 u1 0 0.5\nu2 u1 0.5 1\n")
    corpus = RecordingCorpus(path)
    assert [some.speaker for some in corpus] == ["ann", ""]
    assert survey(corpus).sound.speaker_counts == {"ann": 1}
    assert all("ann" not in some.stamp() for some in corpus)  # so that old runs resume


def test_pictures(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "b.jpg").touch()
    (tmp_path / "l.tsv").write_text("a.jpg\ta dog\na.jpg\tan animal\nb.jpg\ta cat\nc.jpg\tno\n")
    facts = survey(PictureCorpus(tmp_path / "l.tsv"))
    pictures = facts.pictures
    assert (facts.kind, facts.examples, facts.target.texts) == ("picture", 2, 3)
    assert (pictures.pictures, pictures.captions, pictures.mean_captions) == (2, 3, 1.5)
    assert pictures.captions_each.tolist() == [2, 1] and len(facts.problems) == 1
