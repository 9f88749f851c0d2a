"""Rows of unequal length through compiled functions: few batches, few shapes."""

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from keras import ops

from kerasseq import backend
from kerasseq.checks import Size, check_option
from kerasseq.errors import OptionError
from kerasseq.models.hypothesis import Hypothesis


def check_call(batch_size: int, jit: bool | None) -> None:
    """Checks that sources can be decoded in such batches, and compiled by XLA if `jit` asks for it.

    Raises:
        OptionError: they cannot.
    """
    check_option("batch_size", batch_size, Size)
    check_option("jit", jit, bool | None)
    if jit and backend.name() == "torch":
        raise OptionError("jit", "is for TensorFlow, and PyTorch compiles nothing: leave it out")


def run_parallel(decode: Callable, rows: np.ndarray, batch_size: int) -> None:
    """Calls `decode(some rows)` for all rows, with as many calls at a time as are useful."""
    parts = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    workers = min(backend.count_parallel_calls(), len(parts))
    if workers <= 1:
        for part in parts:
            decode(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(decode, parts))


def map_by_length(
    preprocessors: Sequence[Any],
    sources: Sequence[Any],
    chunk: int,
    batch_size: int,
    decode: Callable,
) -> Iterator[Any]:
    """Yields the result of each source, in order, from batches of sources of like length.

    Args:
        preprocessors: those of the models that read the sources.
        sources: raw.
        chunk: sources that are read and ordered by length together.
        batch_size: sources that are decoded together, at most.
        decode: `decode(inputs, rows, attempt)` returns a result for each row, an index of a
            source. `inputs` are the features of each preprocessor. They may have further rows,
            which fill the batch. A result of None is asked for again in the next attempt; the
            first is 0.
    """
    for start in range(0, len(sources), chunk):
        some = sources[start : start + chunk]
        features = [preprocessor.features(some) for preprocessor in preprocessors]
        lengths = features[0]["mask"].sum(axis=1)
        results: list = [None] * len(some)

        def run(rows, attempt, start=start, features=features, results=results):
            inputs = [
                crop_features(one, fill_batch(rows), preprocessor)
                for one, preprocessor in zip(features, preprocessors, strict=True)
            ]
            for row, result in zip(rows, decode(inputs, start + rows, attempt), strict=True):
                results[row] = result

        rows = np.argsort(lengths, kind="stable")
        for attempt in itertools.count():
            run_parallel(functools.partial(run, attempt=attempt), rows, batch_size)
            rows = np.array([row for row in rows if results[row] is None], rows.dtype)
            if not len(rows):
                break
        yield from results


def read_hypotheses(preprocessor: Any, found: Any, rows: int) -> list[list[Hypothesis]]:
    """Returns the hypotheses of the first rows of a search's result.

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


def fill_batch(rows: np.ndarray) -> np.ndarray:
    """Adds rows up to a power of two, since each size of batch is compiled.

    Each added row is a copy of the first, which costs no further step.
    """
    missing = (1 << (len(rows) - 1).bit_length()) - len(rows)
    return np.concatenate([rows, np.repeat(rows[:1], missing)])


def crop_features(features: dict, rows: Sequence[int], preprocessor: Any) -> dict:
    """Selects rows of the features, without padding that none of them needs."""
    steps = preprocessor.padded_length(int(features["mask"][rows].sum(axis=1).max()))
    return {key: array[rows, :steps] for key, array in features.items()}
