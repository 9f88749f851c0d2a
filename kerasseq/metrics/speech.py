"""Metrics of transcripts against what was said, with the edit distance of rapidfuzz."""

from collections.abc import Sequence

import numpy as np

from kerasseq.errors import UserError
from kerasseq.metrics.text import Score

# Transcripts that `interval` holds together.
_HELD = 500_000


def word_errors(hypotheses: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """(N, 2): the least word errors of each transcript, and the words of its reference."""
    return _errors(hypotheses, references, str.split)


def character_errors(hypotheses: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """(N, 2): the least character errors of each transcript, and the reference's characters."""
    return _errors(hypotheses, references, list)


def wer(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Word error rate: substitutions, insertions and deletions per word of the references."""
    return _rate("WER", word_errors(hypotheses, references))


def cer(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Character error rate, spaces between words being characters."""
    return _rate("CER", character_errors(hypotheses, references))


def interval(errors: np.ndarray, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval of a rate in percent, drawing whole transcripts.

    Bisani and Ney, 2004.

    Args:
        errors: (N, 2), of `word_errors` or `character_errors`.
    """
    rng, rows = np.random.default_rng(seed), len(errors)
    # Some draws at a time, as all of a large list would take much memory.
    some = max(1, _HELD // rows)
    sizes = [min(some, draws - start) for start in range(0, draws, some)]
    sums = [errors[rng.integers(rows, size=(size, rows))].sum(axis=1) for size in sizes]
    drawn = np.concatenate(sums)
    low, high = np.quantile(100 * drawn[:, 0] / np.maximum(drawn[:, 1], 1), [0.025, 0.975])
    return float(low), float(high)


def _errors(hypotheses, references, units) -> np.ndarray:
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise UserError('Error rates need rapidfuzz: pip install "kerasseq[audio]".') from None
    if len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses):,} transcripts cannot be compared with {len(references):,} "
            "references."
        )
    if not any(references):
        raise UserError("There is no transcript to measure.")
    return np.array(
        [
            (Levenshtein.distance(units(found), units(said)), len(units(said)))
            for found, said in zip(hypotheses, references, strict=True)
        ]
    )


def _rate(name: str, errors: np.ndarray) -> Score:
    made, units = errors.sum(axis=0)
    return Score(name, 100 * float(made) / float(units))
