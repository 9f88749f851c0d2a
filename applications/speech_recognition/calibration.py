"""The calibration of word confidences on recordings whose transcripts are known."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kerasseq.data import SoundCorpus
from kerasseq.errors import UserError
from kerasseq.media.sound import SoundError
from kerasseq.metrics.speech import find_right_words
from kerasseq.models import SequenceModel
from kerasseq.models.confidence import (
    CARD_NAME,
    LEAST_WORDS,
    fit_calibration,
    geometric_mean,
)

MOST_RECORDINGS = 300
"""Recordings that a calibration is fitted on."""


def calibrate(
    model: SequenceModel, sounds: Sequence[np.ndarray], transcripts: Sequence[str]
) -> dict[str, Any] | None:
    """Returns the calibration of a model for its card, or None if there are too few words.

    Args:
        model: a recogniser with the card that says how it decodes.
        sounds: recordings that the model was not trained on.
        transcripts: what is said in them, normalised.
    """
    card = model.card
    model.card = {name: entry for name, entry in card.items() if name != CARD_NAME}
    probabilities: list[float] = []
    recordings: list[float] = []
    places: list[int] = []
    right: list[bool] = []
    try:
        for sound, some, text in zip(
            sounds, model.hypotheses(sounds, jit=False), transcripts, strict=True
        ):
            if not some or not some[0].text.strip():
                continue
            frames, log_probs = model.token_alignment(sound, some[0])
            best = replace(some[0], frames=tuple(frames), log_probs=tuple(log_probs))
            words = model.words(sound, best)
            right += find_right_words([word.text for word in words], text.split()).tolist()
            probabilities += [word.confidence for word in words]
            places += [len(recordings)] * len(words)
            recordings.append(geometric_mean(log_probs))
    finally:
        model.card = card
    return fit_calibration(probabilities, recordings, places, right)


def calibrate_on(model: SequenceModel, corpus: SoundCorpus) -> dict[str, Any]:
    """Returns the calibration of a model on a corpus; see `calibrate`.

    Raises:
        UserError: there are too few words.
    """
    sounds, texts = [], []
    with corpus.reader(model.preprocessor.rate) as read:
        for recording in corpus:
            if len(sounds) == MOST_RECORDINGS:
                break
            try:
                sounds.append(read(recording))
            except SoundError:
                continue
            texts.append(recording.text)
    entry = calibrate(model, sounds, model.preprocessor.normalize(texts)) if sounds else None
    if entry is None:
        raise UserError(
            f"A calibration needs {LEAST_WORDS} words that the model writes of recordings: give "
            "more recordings by --data."
        )
    return entry
