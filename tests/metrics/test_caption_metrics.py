"""Caption metrics: the figures of COCO's evaluation, what must hold of any, and what they refuse.

The figures in golden/captions.json are of pycocoevalcap 1.2 with its Java tokenizer.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasseq.errors import UserError
from kerasseq.metrics import CiderD, caption_scores, caption_words
from kerasseq.metrics.captions import rouge_l

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "captions.json").read_text(encoding="utf-8")
)
HYPOTHESES = [one["hypothesis"] for one in GOLDEN["captions"]]
REFERENCES = [one["references"] for one in GOLDEN["captions"]]

CAPTION = st.lists(st.sampled_from("abcde"), min_size=1, max_size=9)
CORPUS = st.lists(st.lists(CAPTION, min_size=1, max_size=4), min_size=2, max_size=5)


def test_the_corpus_scores_as_cocos_evaluation_has_it():
    scores = caption_scores(HYPOTHESES, REFERENCES)
    assert list(scores) == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr-D"]
    for name, expected in GOLDEN["corpus"].items():
        # COCO's BLEU adds 1e-9 to the number of n-grams.
        assert scores[name].value == pytest.approx(100 * expected, rel=1e-9)
        assert scores[name].name == name
    assert "tok:none" in scores["BLEU-4"].signature


def test_each_caption_scores_as_cocos_evaluation_has_it():
    found = CiderD(REFERENCES).scores(range(len(HYPOTHESES)), HYPOTHESES)
    assert found == pytest.approx([one["cider_d"] for one in GOLDEN["captions"]], abs=1e-12)
    for one in GOLDEN["captions"]:
        words = [caption_words(text) for text in one["references"]]
        found = rouge_l(caption_words(one["hypothesis"]), words)
        assert found == pytest.approx(one["rouge_l"], abs=1e-12)


@pytest.mark.parametrize(
    "text, words",
    [(one["hypothesis"], one["words"]) for one in GOLDEN["captions"]]
    + [
        ("A dog’s T-shirt , isn't it ?", "a dog 's t-shirt is n't it"),
        ("the man 's dog does n't bark", "the man 's dog does n't bark"),
        ("5 o'clock -- 'tea' (hot) & \"cake\"...", "5 o'clock tea hot & cake"),
        ("Ein Hündchen läuft„schnell“", "ein hündchen läuft schnell"),
        ("एक कुत्ता दौड़ता है।", "एक कुत्ता दौड़ता है"),
        (" . - ' ", ""),
    ],
)
def test_words(text, words):
    assert caption_words(text) == words.split()
    assert caption_words(words) == words.split()


@given(CORPUS, st.data())
def test_cider_lies_between_nothing_shared_and_the_reference_itself(corpus, data):
    corpus = [references[:1] for references in corpus]
    index = data.draw(st.integers(0, len(corpus) - 1))
    metric = CiderD(corpus)
    best, other, nothing, foreign = metric.scores(
        [index] * 4, [corpus[index][0], data.draw(CAPTION), [], ["x", "y", "z"]]
    )
    assert 0 <= other <= best + 1e-9 <= 10 + 2e-9
    assert nothing == foreign == 0


def test_cider_of_the_only_reference_is_ten():
    metric = CiderD([["a red kite in the sky"], ["two cats asleep"]])
    assert metric.scores([0], ["A red kite in the sky."]) == pytest.approx([10])


@given(CORPUS, st.lists(CAPTION | st.just([]), min_size=1, max_size=6), st.randoms())
def test_cider_knows_no_order_and_no_neighbours(corpus, hypotheses, random):
    indices = [random.randrange(len(corpus)) for _ in hypotheses]
    metric = CiderD(corpus)
    expected = metric.scores(indices, hypotheses)
    alone = [metric.scores([i], [words])[0] for i, words in zip(indices, hypotheses, strict=True)]
    assert alone == pytest.approx(expected, abs=1e-12)

    places = random.sample(range(len(corpus)), len(corpus))
    turned = CiderD([random.sample(corpus[i], len(corpus[i])) for i in places])
    found = turned.scores([places.index(i) for i in indices], hypotheses)
    assert found == pytest.approx(expected, abs=1e-12)

    # Numbers in the words' place, as an array and otherwise.
    def numbers(words):
        return np.array([ord(word) for word in words], np.int32)

    by_number = CiderD([[list(map(ord, words)) for words in one] for one in corpus])
    found = by_number.scores(np.array(indices), list(map(numbers, hypotheses)))
    assert found == pytest.approx(expected, abs=1e-12)


@given(st.lists(CAPTION, min_size=1, max_size=4))
def test_in_a_corpus_of_one_example_nothing_is_rare(references):
    assert CiderD([references]).scores([0], references[:1]) == [0]


def test_cider_of_no_caption_and_of_wordless_references():
    metric = CiderD([["..."], ["", "?"]])
    assert metric.scores([], []).shape == (0,)
    assert metric.scores([0, 1, 1], ["a b", "a", ""]).tolist() == [0, 0, 0]


@given(CAPTION, st.lists(CAPTION, min_size=1, max_size=4))
def test_rouge_counts_the_longest_common_subsequence(words, references):
    def common(one, other):
        if not one or not other:
            return 0
        if one[-1] == other[-1]:
            return common(one[:-1], other[:-1]) + 1
        return max(common(one[:-1], other), common(one, other[:-1]))

    words, references = words[:6], [one[:6] for one in references]
    lengths = [common(words, one) for one in references]
    precision = max(lengths) / len(words)
    recall = max(n / len(one) for n, one in zip(lengths, references, strict=True))
    expected = precision and 2.44 * precision * recall / (recall + 1.44 * precision)
    assert rouge_l(words, references) == pytest.approx(expected)
    assert rouge_l(words, [*references, words]) == pytest.approx(1)


@given(st.lists(CAPTION, min_size=2, max_size=5), st.randoms())
def test_scores_lie_in_their_ranges(captions, random):
    texts = [" ".join(words) for words in captions]
    references = [random.choices(texts, k=random.randint(1, 3)) for _ in texts]
    for name, score in caption_scores(texts, references).items():
        assert 0 <= score.value <= (1000 if name == "CIDEr-D" else 100) + 1e-9
    silent = caption_scores([""] * len(texts), references)
    assert not any(score.value for score in silent.values())


def test_what_cannot_be_compared():
    with pytest.raises(UserError, match="2 captions .* references of 1 examples"):
        caption_scores(["a", "b"], [["a"]])
    with pytest.raises(UserError, match="no reference"):
        caption_scores([], [])
    with pytest.raises(UserError, match="Example 2 has no reference"):
        caption_scores(["a", "b"], [["a"], []])
    with pytest.raises(UserError, match="Example 1 needs a list of references"):
        caption_scores(["a"], ["a"])
    metric = CiderD([["a"], ["b"]])
    with pytest.raises(UserError, match="1 captions .* references of 2 examples"):
        metric.scores([0, 1], ["a"])
    for index in (-1, 2):
        with pytest.raises(IndexError, match="not in 0 to 1"):
            metric.scores([index], ["a"])
