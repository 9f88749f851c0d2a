import importlib.util
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasseq.applications.demos.speech.synthesis import SpokenCorpus, Utterance, speak
from kerasseq.data import RecordingCorpus, SoundStore
from kerasseq.errors import UserError
from kerasseq.preprocessing import SpeechPreprocessor

pytest.importorskip("espeakng_loader")
pytest.importorskip("soxr")
pytest.importorskip("babel")

from kerasseq.applications.demos.phrases import spoken as english  # noqa: E402
from kerasseq.applications.demos.phrases.spoken import (
    mark_initials,
    spell_cardinal,
    spell_ordinal,
    spell_out,
)  # noqa: E402
from kerasseq.applications.demos.speech.corpus import UNHEARD, make_corpora  # noqa: E402
from kerasseq.applications.demos.speech.sentences import draw_texts  # noqa: E402
from kerasseq.applications.demos.speech.surroundings import add_surroundings  # noqa: E402
from kerasseq.applications.demos.speech.voices import (  # noqa: E402
    Sentence,
    draw_sentences,
    write_recordings,
)

RATE = 16000


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "on Tuesday, March 3, 2026 at 5:04\u202fPM",
            "on tuesday march third twenty twenty six at five oh four pm",
        ),
        ("Sat, Feb 21, 2009", "saturday february twenty first two thousand nine"),
        ("Mar 12, 1900, 12:00 AM", "march twelfth nineteen hundred twelve am"),
        ("Feb 9 – Apr 23, 1905", "february ninth to april twenty third nineteen oh five"),
        ("August 2000", "august two thousand"),
        ("2:16\u2009–\u20094:36 AM", "two sixteen to four thirty six am"),
        (
            "161,830.00 Colombian pesos",
            "one hundred sixty one thousand eight hundred thirty colombian pesos",
        ),
        ("-2,300.05 meters", "minus two thousand three hundred point zero five meters"),
        ("50.8%", "fifty point eight percent"),
        ("2.6 billion", "two point six billion"),
        (
            "St. Lucia, Svalbard & Jan Mayen, and Côte d’Ivoire",
            "saint lucia svalbard and jan mayen and cote d'ivoire",
        ),
        ("Congo - Kinshasa or U.S. Virgin Islands", "congo kinshasa or u s virgin islands"),
    ],
)
def test_what_is_said(written, said):
    assert spell_out(written) == said
    assert spell_out(said) == said


def test_what_is_read():
    assert mark_initials("five am in amman pm") == "five AM in amman PM"


def value(words):
    """The number that `cardinal` says."""
    total = part = 0
    for word in words.split():
        if word in english.ONES:
            part += english.ONES.index(word)
        elif word in english.TENS:
            part += 10 * english.TENS.index(word)
        elif word == "hundred":
            part *= 100
        else:
            total, part = total + part * 1000 ** english.SCALES.index(f" {word}"), 0
    return total + part


@given(st.integers(0, 10**15 - 1))
def test_numbers(number):
    assert value(spell_cardinal(number)) == number
    assert spell_ordinal(number).split()[-1].endswith(("st", "nd", "rd", "th"))


def utterances(count=40):
    voices = ("en-us+f2", "en-gb-scotland+m3", "en-029")
    return [
        Utterance(f"number {i}", f"number {i}", voices[i % 3], snr=5.0 + i, colour=0.5, seed=i)
        for i in range(count)
    ]


def test_speech_is_heard():
    rate, sounds = speak(utterances(3))
    assert rate == 22050 and len(sounds) == 3
    for samples in sounds:
        assert samples.dtype == np.int16 and rate / 3 < len(samples) < 3 * rate
        assert np.abs(samples).max() > 3000
    assert (sounds[0] == speak(utterances(1))[1][0]).all()
    with pytest.raises(UserError, match="no voice 'xx'"):
        speak([Utterance("a", "a", "xx")])


def test_a_corpus_is_the_same_however_it_is_read(tmp_path):
    preprocessor = SpeechPreprocessor.learn(["number 0123456789"])
    stores = [
        SoundStore.build(tmp_path / str(threads), SpokenCorpus(utterances()), preprocessor,
                         threads=threads)
        for threads in (1, 3)
    ]  # fmt: skip
    everything = np.arange(40)
    assert stores[0].texts(everything) == [some.transcript for some in utterances()]
    sounds = [store.sounds(everything) for store in stores]
    assert all(map(np.array_equal, *sounds))
    loudest = [np.abs(samples.astype(int)).max() for samples in sounds[0]]
    assert np.allclose(loudest, 32768 * 10 ** (-3 / 20), atol=1)
    corpus = SpokenCorpus(utterances())
    with corpus.reader(8000) as read:
        some = list(corpus)
        assert abs(2 * len(read(some[39])) - len(sounds[0][39])) <= 2
        assert len(read(some[0])) and len(read(some[39]))  # again, out of order
    assert corpus.fingerprint() != SpokenCorpus(utterances(39)).fingerprint()


def test_too_long_an_utterance_is_left_out(tmp_path):
    some = [Utterance("one " * 12, "one", "en"), Utterance("one", "one", "en")]
    preprocessor = SpeechPreprocessor.learn(["one"], max_seconds=2.0)
    store = SoundStore.build(tmp_path / "s", SpokenCorpus(some, "digits"), preprocessor)
    assert len(store) == 1 and store.problems.named == ["digits:1: longer than 2 s (digits 1)"]


def test_without_the_synthesiser_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'espeakng-loader: pip install "kerasseq\[demo\]"'):
        SpokenCorpus([])


def test_the_default():
    parts = make_corpora(train=700, valid=20, test=20)
    voices = {part: {some.voice for some in spoken.utterances} for part, spoken in parts.items()}
    assert all(voice.endswith(UNHEARD) for voice in voices["test"])
    assert not any(voice.endswith(UNHEARD) for voice in voices["train"] | voices["valid"])
    texts = {part: set(spoken.texts()) for part, spoken in parts.items()}
    assert not texts["train"] & texts["test"] and len(texts["test"]) == 20
    assert all(set(text) <= set("abcdefghijklmnopqrstuvwxyz' ") for text in texts["train"])
    again = make_corpora(train=700, valid=20, test=20)
    assert again["train"].fingerprint() == parts["train"].fingerprint()


def test_sentences_are_written_in_many_voices(tmp_path):
    texts = ["the cat sat", "r u b o u t", "a long way home"]
    sentences = draw_sentences(texts, 9, "en-us", seed=3)
    assert sentences == draw_sentences(texts, 9, "en-us", seed=3)
    assert Counter(some.text for some in sentences) == dict.fromkeys(texts, 3)
    espeak = [some for some in draw_sentences(texts, 6, "fr", seed=1)]
    assert {some.engine for some in espeak} == {"espeak"} and len(set(espeak)) == 6
    assert write_recordings(espeak, tmp_path) == 6
    corpus = list(RecordingCorpus([tmp_path / "list.tsv"]))
    assert sorted(some.text for some in corpus) == sorted(2 * texts)
    assert all(some.speaker.startswith("espeak fr+") for some in corpus)
    lengths = [len(some.read(16000)) / 16000 for some in corpus]
    assert 0.4 < min(lengths) and max(lengths) < 6


def test_single_letters_are_read_as_letters():
    first = Sentence(0, "r a t", "flite", "rms", 1.0, 50, 1.0)
    assert first.spoken == "R, ay, T."
    assert first._replace(engine="espeak").spoken == "R, A, T."
    assert first._replace(text="a cat").spoken == "a cat."


@given(st.integers(0, 10**6), st.integers(1, 4000))
def test_surroundings_keep_speech_and_its_order(seed, length):
    speech = np.sin(np.arange(length) / 5).astype(np.float32)
    heard = add_surroundings(speech, RATE, seed)
    assert heard.dtype == np.int16 and length <= len(heard) <= length + 0.8 * RATE
    np.testing.assert_array_equal(heard, add_surroundings(speech, RATE, seed))


def test_there_must_be_a_sentence():
    with pytest.raises(UserError, match="no sentence to speak"):
        draw_sentences([], 3, "en", seed=1)


def test_three_quarters_are_sentences_and_the_others_are_dictated():
    sentences = [f"this is sentence number {word}" for word in "abcdefghijklmnop"]
    texts = list(draw_texts(sentences, 400, seed=1))
    assert texts == list(draw_texts(sentences, 400, seed=1)) and len(texts) == 400
    assert sorted(text for text in texts if text in sentences) == sentences  # each once
    early = list(draw_texts([f"{text} {n}" for text in sentences for n in range(99)], 400, seed=1))
    assert 0.68 < sum(text.startswith("this is") for text in early) / 400 < 0.82
    assert any(re.fullmatch("[a-z]( [a-z])+", text) for text in texts)
    assert any(re.fullmatch(r"(\w+ ){2,}(nineteen|twenty|two) .*", text) for text in texts)
