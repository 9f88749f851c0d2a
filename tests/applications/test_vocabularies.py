"""Whether the vocabulary of a model to start from fits the user's texts."""

from itertools import islice

import pytest

import kerasseq
from kerasseq.applications.common.vocabularies import Fit, judge_vocabulary, measure_fit
from kerasseq.applications.demos.phrases import corpus


def rows_of(source, target, count=1200):
    pairs = corpus.make_corpora(source, target)["train"]
    return [{"source": a, "target": b} for a, b in islice(pairs, count)]


@pytest.fixture(scope="module")
def preprocessor():
    return kerasseq.load("multi30k-en-de").preprocessor


def test_another_language_is_said_with_its_pieces_and_unknown_characters(preprocessor):
    said = judge_vocabulary(preprocessor, rows_of("en", "cs"), "multi30k-en-de")
    assert said.startswith("The vocabulary of multi30k-en-de does not fit your data: it has ")
    assert "no piece for 6.7% of the characters of the target texts. If" in said
    assert said.endswith("leave out --start-from, for a vocabulary of your own.")
    assert Fit("unigram", 3.92, 1.75, 0.144).describe("target") == (
        "3.9 pieces a word of the target texts, where one of your own data has 1.8 and no piece "
        "for 14.4% of their characters"
    )
    # English and German of Tatoeba, where the model knows Multi30k.
    assert not Fit("unigram", 2.25, 1.65, 0.0002).describe("target")
    assert not Fit("word", 1.0, 1.0, 0.09).describe("target")


def test_the_language_of_the_model_fits(preprocessor):
    texts = [
        "A man rides a bicycle down the street.",
        "Two dogs play with a ball in the snow.",
        "A little girl in a red dress is singing.",
        "People are waiting for the train to arrive.",
    ]
    rows = [{"source": text, "target": text} for text in texts * 50]
    fit = measure_fit(preprocessor, "source", [row["source"] for row in rows])
    assert fit.unknown == 0 and fit.pieces < 1.5 and fit.kind == "unigram"
    assert judge_vocabulary(preprocessor, rows[:6], "multi30k-en-de") == ""  # few: no comparison


@pytest.mark.parametrize("texts", [[], [""], ["  "] * 9, ["a"]])
def test_without_words_there_is_nothing_to_say(preprocessor, texts):
    rows = [{"source": text, "target": text} for text in texts]
    assert judge_vocabulary(preprocessor, rows, "multi30k-en-de") == ""


def test_characters_alone():
    preprocessor = kerasseq.load("an4-ctc").preprocessor
    fits, strange = ([{"target": text}] * 20 for text in ("seven oh one", "příliš žluťoučký kůň"))
    assert judge_vocabulary(preprocessor, fits, "an4-ctc") == ""
    said = judge_vocabulary(preprocessor, strange, "an4-ctc")
    assert "it has no piece for 50.0% of the characters of the target texts. If" in said
