"""Metrics: known values, what they refuse, and what JSON gets."""

import json

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from kerasseq.errors import UserError
from kerasseq.metrics import bleu, chrf, exact_match

HYPOTHESES = ["the cat sat on the mat", "a dog runs in the park today"]
REFERENCES = ["the cat sat on a mat", "a dog runs through the park today"]


def test_bleu_and_chrf_are_sacrebleus():
    score = bleu(HYPOTHESES, REFERENCES)
    assert score.value == pytest.approx(sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score)
    assert "tok:13a" in score.signature and "version:" in score.signature
    score = chrf(HYPOTHESES, REFERENCES)
    assert score.value == pytest.approx(sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score)
    assert "nc:6" in score.signature and "nw:0" in score.signature


def test_exact_match_leaves_outer_white_space_aside():
    assert exact_match(["a b", " c", "d"], ["a b", "c ", "D"]).value == pytest.approx(200 / 3)


@pytest.mark.parametrize("metric", [bleu, chrf, exact_match])
def test_scores_go_through_json(metric):
    score = metric(HYPOTHESES, REFERENCES)
    found = json.loads(json.dumps(score.to_dict()))
    assert found == {"name": score.name, "value": score.value, "signature": score.signature}
    assert str(score).startswith(f"{score.name} {score.value:.2f}")


@pytest.mark.parametrize("metric", [bleu, chrf, exact_match])
def test_what_cannot_be_compared(metric):
    with pytest.raises(UserError, match="2 texts cannot be compared with 1 references"):
        metric(HYPOTHESES, REFERENCES[:1])
    with pytest.raises(UserError, match="no text"):
        metric([], [])


@given(st.lists(st.text("ab c", min_size=1).filter(str.strip), min_size=1, max_size=5))
def test_a_text_is_its_own_best_translation(texts):
    assert exact_match(texts, texts).value == 100
    assert chrf(texts, texts).value == pytest.approx(100)
    for metric in (bleu, chrf, exact_match):
        assert 0 <= metric(texts, texts[::-1]).value <= 100 + 1e-9
