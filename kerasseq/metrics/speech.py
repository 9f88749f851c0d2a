"""Error rates of transcripts, with the edit distance of rapidfuzz."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasseq.errors import UserError
from kerasseq.metrics.text import Score

# The number of transcripts that `bootstrap_interval` draws at once.
_HELD = 500_000


def count_word_errors(hypotheses: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """Returns (N, 2): the word errors of each transcript, and the words of its reference."""
    return _count_errors(hypotheses, references, str.split)


def count_character_errors(hypotheses: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """Returns (N, 2): the character errors of each transcript, and its reference's characters."""
    return _count_errors(hypotheses, references, list)


def wer(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Returns the word error rate in percent.

        100 (substitutions + insertions + deletions) / words of the references

    with the smallest number of errors for each transcript. White space separates words.

    Args:
        hypotheses: N transcripts.
        references: what was said, N texts.

    Raises:
        UserError: the numbers of texts differ, all references are empty, or rapidfuzz is not
            installed.

    Example:

    >>> import kerasseq
    >>> score = kerasseq.metrics.wer(["one two three", "five"], ["one too three", "four five"])
    >>> print(score)
    WER 40.00
    """
    return _make_score("WER", count_word_errors(hypotheses, references))


def cer(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Returns the character error rate in percent; a space is a character.

    Args:
        hypotheses: N transcripts.
        references: what was said, N texts.

    Raises:
        UserError: as `wer`.

    Example:

    >>> import kerasseq
    >>> print(kerasseq.metrics.cer(["two"], ["too"]))
    CER 33.33
    """
    return _make_score("CER", count_character_errors(hypotheses, references))


def bootstrap_interval(errors: np.ndarray, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Returns the 95 % bootstrap interval of an error rate in percent (Bisani and Ney, 2004).

    It draws whole transcripts.

    Args:
        errors: the result (N, 2) of `count_word_errors` or `count_character_errors`.
        draws: the number of bootstrap samples.
        seed: the seed of the draws.
    """
    rng, rows = np.random.default_rng(seed), len(errors)
    # A part of the draws at a time, because all draws of a large list take much memory.
    part = max(1, _HELD // rows)
    sizes = [min(part, draws - start) for start in range(0, draws, part)]
    sums = [errors[rng.integers(rows, size=(size, rows))].sum(axis=1) for size in sizes]
    totals = np.concatenate(sums)
    low, high = np.quantile(100 * totals[:, 0] / np.maximum(totals[:, 1], 1), [0.025, 0.975])
    return float(low), float(high)


def find_right_words(words: Sequence[str], reference: Sequence[str]) -> np.ndarray:
    """Returns (N,) bool: the words that stay in the fewest changes that make the reference."""
    right = np.zeros(len(words), bool)
    for change, start, end, _, _ in _get_levenshtein().opcodes(words, reference):
        right[start:end] = change == "equal"
    return right


def _get_levenshtein() -> Any:
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise UserError('Error rates need rapidfuzz: pip install "kerasseq[audio]".') from None
    return Levenshtein


def _count_errors(hypotheses, references, units) -> np.ndarray:
    distance = _get_levenshtein().distance
    if len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses):,} transcripts cannot be compared with {len(references):,} "
            "references."
        )
    if not any(references):
        raise UserError("There is no transcript to measure.")
    return np.array(
        [
            (distance(units(text), units(reference)), len(units(reference)))
            for text, reference in zip(hypotheses, references, strict=True)
        ]
    )


def _make_score(name: str, errors: np.ndarray) -> Score:
    count, units = errors.sum(axis=0)
    return Score(name, 100 * float(count) / float(units))
