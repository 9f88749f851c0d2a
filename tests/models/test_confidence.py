"""Confidences of words, and recordings that a model does not know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasseq.errors import UserError
from kerasseq.metrics import calibration_error
from kerasseq.metrics.speech import find_right_words
from kerasseq.models.confidence import LEAST_WORDS, Calibration, fit_calibration, geometric_mean
from kerasseq.models.hypothesis import group_words

shares = st.floats(0, 1)


def draw(words, recordings, slope, offset, seed=0):
    """Returns probabilities, recordings and answers that are right as often as a sigmoid says."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.05, 0.99, words)
    places = np.sort(rng.integers(recordings, size=words))
    means = [float(values[places == i].mean()) if i in places else 0.9 for i in range(recordings)]
    truth = 1 / (1 + np.exp(-(slope * np.log(values / (1 - values)) + offset)))
    return values.tolist(), means, places.tolist(), (rng.random(words) < truth).tolist()


def test_a_calibration_brings_confidences_to_the_share_of_right_words():
    words, recordings, places, right = draw(2000, 200, slope=0.5, offset=1.5)
    entry = fit_calibration(words, recordings, places, right)
    assert entry["words"] == 2000
    assert entry["ece_before"] > 0.2 and entry["ece_after"] < 0.04
    assert entry["word"] == pytest.approx(0.5, abs=0.15)
    assert entry["offset"] == pytest.approx(1.5, abs=0.3)
    calibration = Calibration.from_card({"calibration": entry})
    known = [calibration.knows(recording) for recording in recordings]
    assert sum(known) in (198, 199) and known[int(np.argmin(recordings))] is False


@pytest.mark.parametrize("answer", [True, False])
def test_words_that_are_all_right_or_all_wrong_give_a_calibration(answer):
    words, recordings, places, _ = draw(LEAST_WORDS, 10, 1.0, 0.0)
    entry = fit_calibration(words, recordings, places, [answer] * LEAST_WORDS)
    confidence = Calibration.from_card({"calibration": entry}).confidence(0.5, 0.5)
    assert confidence > 0.8 if answer else confidence < 0.2


def test_too_few_words_give_none():
    assert fit_calibration(*draw(LEAST_WORDS - 1, 5, 1.0, 0.0)) is None
    assert fit_calibration([], [], [], []) is None


@given(shares, shares)
def test_a_card_without_a_calibration_changes_nothing(word, recording):
    plain = Calibration.from_card({})
    assert plain.confidence(word, recording) == word and plain.knows(recording)


@given(st.lists(shares, min_size=2, max_size=2), shares, st.floats(0, 3), st.floats(-20, 20))
def test_a_confidence_is_a_share_and_keeps_the_order(words, recording, slope, offset):
    calibration = Calibration(slope, 0.5, offset)
    low, high = (calibration.confidence(word, recording) for word in sorted(words))
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize("entry", [3, {"word": "much"}, {"least": 2.0}, {"offset": float("nan")}])
def test_a_wrong_calibration_is_refused(entry):
    with pytest.raises(UserError):
        Calibration.from_card({"calibration": entry})


def test_words_have_the_confidence_of_the_calibration():
    pieces, logs = ["▁on", "e", "▁two"], np.log([0.9, 0.4, 0.8]).tolist()
    calibration = Calibration(0.9, 0.6, -0.2)
    whole = geometric_mean(logs)
    assert whole == pytest.approx((0.9 * 0.4 * 0.8) ** (1 / 3))
    one, two = group_words(pieces, [0, 1, 2], logs, 0.1, calibration)
    assert one.confidence == pytest.approx(calibration.confidence(0.6, whole), abs=1e-4)
    assert two.confidence == pytest.approx(calibration.confidence(0.8, whole), abs=1e-4)
    assert [word.confidence for word in group_words(pieces, [0, 1, 2], logs, 0.1)] == [0.6, 0.8]


def test_the_calibration_error_is_the_mean_gap():
    assert calibration_error([0.95, 0.95, 0.15], [True, False, False]) == pytest.approx(1.05 / 3)
    assert calibration_error([1.0, 0.0], [True, False]) == 0
    with pytest.raises(UserError, match="0 confidences"):
        calibration_error([], [])


def test_right_words_are_those_that_stay():
    right = find_right_words("one two too four".split(), "one two three four five".split())
    assert right.tolist() == [True, True, False, True]
    assert find_right_words([], ["one"]).tolist() == []
