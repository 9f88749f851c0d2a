"""The result of a search over frames."""

from typing import Any, NamedTuple


class SearchResult(NamedTuple):
    """The labels that a search over frames finds, padded with 0.

    The `n_best` hypotheses of a beam search add an axis after the rows.

    Attributes:
        tokens: (N, L) int32.
        score: (N,) float32, the log-probability of the path, or the score of the search.
        frames: (N, L) int32, the frame at which each token begins.
        log_probs: (N, L) float32, the log-probability of each token at its frame.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import ctc_greedy_search
    >>> result = ctc_greedy_search(np.zeros((2, 7, 9), "float32"), np.ones((2, 7), bool))
    >>> type(result).__name__, tuple(result.tokens.shape)
    ('SearchResult', (2, 7))
    """

    tokens: Any
    score: Any
    frames: Any
    log_probs: Any
