"""The hypotheses of a model, and the words of a hypothesis."""

from collections.abc import Sequence
from dataclasses import dataclass

from kerasseq.models.confidence import Calibration, geometric_mean
from kerasseq.preprocessing.tokenizer import WORD_MARK


@dataclass(frozen=True)
class Hypothesis:
    """One text that a model makes of a source.

    Attributes:
        text: detokenised.
        score: the score by which the strategy ranks hypotheses; natural logarithm.
        tokens: the ids, with the end symbol if there is one.
        frames: the step of the encoder at which each token begins, from models that know it.
        log_probs: the log-probability of each token there.

    Example:

    >>> from kerasseq.models import Hypothesis
    >>> best = Hypothesis("yes", score=-0.7, tokens=(9, 5, 3))
    >>> best.text, best.frames
    ('yes', ())
    """

    text: str
    score: float
    tokens: tuple[int, ...]
    frames: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Word:
    """A word of a text, and its place in the recording.

    Attributes:
        text: the word as it stands in the hypothesis.
        start, end: seconds.
        confidence: from 0 to 1: how often such words are right, if the model is calibrated;
            otherwise the geometric mean of the probabilities of its pieces. See `Calibration`.

    Example:

    >>> from kerasseq.models import Word
    >>> word = Word("yes", start=0.1, end=0.4, confidence=0.9)
    >>> round(word.end - word.start, 3)
    0.3
    """

    text: str
    start: float
    end: float
    confidence: float


def group_words(
    pieces: Sequence[str],
    frames: Sequence[int],
    log_probs: Sequence[float],
    seconds: float,
    calibration: Calibration | None = None,
) -> list[Word]:
    """Groups pieces into words, in order.

    A word lasts from the step of its first piece to the end of the step of its last one. Pieces
    without SentencePiece's marks are words by themselves.

    Args:
        pieces: of one hypothesis, without the end symbol.
        frames, log_probs: of each piece.
        seconds: of one step.
        calibration: makes confidences of probabilities; None leaves them as they are.
    """
    marked = any(WORD_MARK in piece for piece in pieces)
    groups: list[list[int]] = []
    for index, piece in enumerate(pieces):
        if not groups or not marked or piece.startswith(WORD_MARK):
            groups.append([])
        groups[-1].append(index)
    calibration = calibration or Calibration()
    whole = geometric_mean(log_probs) if len(log_probs) else 1.0
    words = []
    for group in groups:
        text = "".join(pieces[i] for i in group).replace(WORD_MARK, " ").strip()
        real = [i for i in group if pieces[i] != WORD_MARK]
        if text:
            start, end = frames[real[0]] * seconds, (frames[real[-1]] + 1) * seconds
            mean = geometric_mean([log_probs[i] for i in real])
            confidence = round(calibration.confidence(mean, whole), 4)
            words.append(Word(text, round(start, 3), round(end, 3), confidence))
    return words
