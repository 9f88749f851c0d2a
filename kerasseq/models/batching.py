"""Rows of unequal length through compiled functions: few batches, few shapes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from keras import ops

from kerasseq import backend
from kerasseq.checks import Size, check_option
from kerasseq.errors import OptionError
from kerasseq.models.hypothesis import Hypothesis

CHUNK = 8
"""Batches of recordings that are read and ordered by length together."""


def check_call(batch_size: int, jit: bool | None) -> None:
    """That sources can be decoded in such batches, and compiled by XLA if they are to be.

    Raises:
        OptionError: they cannot.
    """
    check_option("batch_size", batch_size, Size)
    check_option("jit", jit, bool | None)
    if jit and backend.name() == "torch":
        raise OptionError("jit", "is for TensorFlow, and PyTorch compiles nothing: leave it out")


def side_by_side(decode: Callable, rows: np.ndarray, batch_size: int) -> None:
    """`decode(some rows)` for all of them, as many calls at a time as are worth it."""
    parts = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    workers = min(backend.parallel_calls(), len(parts))
    if workers <= 1:
        for part in parts:
            decode(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(decode, parts))


def by_length(preprocessor: Any, sources: Sequence[Any], batch_size: int, decode: Callable) -> list:
    """What `decode(features, rows)`, a list for the rows, makes of each source, in order.

    Args:
        decode: called with the features of rows of like length, of which the first
            `len(rows)` count; the others fill the batch.
    """
    found: list = []
    for start in range(0, len(sources), batch_size * CHUNK):
        features = preprocessor.features(sources[start : start + batch_size * CHUNK])
        lengths = features["mask"].sum(axis=1)
        results: list = [None] * len(lengths)

        def run(rows, features=features, results=results):
            made = decode(crop(features, filled(rows), preprocessor), len(rows))
            for row, result in zip(rows, made, strict=True):
                results[row] = result

        side_by_side(run, np.argsort(lengths, kind="stable"), batch_size)
        found += results
    return found


def read_out(preprocessor: Any, found: Any, rows: int) -> list[list[Hypothesis]]:
    """The hypotheses of the first rows of what a search found.

    Args:
        found: has `tokens`, `score`, `frames` and `log_probs`, for each row or its n best.
    """
    parts = (found.tokens, found.score, found.frames, found.log_probs)
    tokens, scores, frames, log_probs = (ops.convert_to_numpy(part)[:rows] for part in parts)
    if scores.ndim == 1:
        tokens, scores, frames, log_probs = (
            part[:, None] for part in (tokens, scores, frames, log_probs)
        )
    texts = iter(preprocessor.detokenize(tokens.reshape(-1, tokens.shape[-1])))
    results = []
    for row in range(rows):
        results.append([])
        for best in range(scores.shape[1]):
            text, count = next(texts), int((tokens[row, best] != 0).sum())
            if np.isfinite(scores[row, best]):
                columns = (
                    tuple(part[row, best, :count].tolist()) for part in (tokens, frames, log_probs)
                )
                results[-1].append(Hypothesis(text, float(scores[row, best]), *columns))
    return results


def filled(rows: np.ndarray) -> np.ndarray:
    """The rows and as many more as make a power of two, since each size of batch is compiled.

    Each row that is added is another copy of the first, which costs no step more.
    """
    missing = (1 << (len(rows) - 1).bit_length()) - len(rows)
    return np.concatenate([rows, np.repeat(rows[:1], missing)])


def crop(features: dict, rows: Sequence[int], preprocessor: Any) -> dict:
    """Some rows of the features, without padding that none of them needs."""
    steps = preprocessor.padded_length(int(features["mask"][rows].sum(axis=1).max()))
    return {key: array[rows, :steps] for key, array in features.items()}
