"""From raw sources to texts: batches of few shapes through one compiled function."""

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops, tree

from kerasseq import backend
from kerasseq.errors import UserError
from kerasseq.generation import (
    Beam,
    Ensemble,
    ForcedPrefix,
    Greedy,
    MinimumLength,
    NoRepeatedNGram,
    Sample,
    search,
)

CHUNK = 64
"""Batches that are ordered by length together."""

# A core takes as long for a row in batches of 8 as in larger ones, of which more rows wait for
# the longest; and the caches of 8 stay in its own cache.
_ROWS_ON_A_CORE = 8

# Steps beyond the source's for which there is room at first. What attention costs goes with the
# room, and few texts are longer; those are searched once more, with all the room they may have.
_ROOM = 8


@dataclass(frozen=True)
class Hypothesis:
    """One text that a model made of a source.

    Attributes:
        text: detokenised.
        score: by which the strategy ranks hypotheses; natural logarithm.
        tokens: the ids, the end symbol included where there is one.
    """

    text: str
    score: float
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Options:
    """How to generate.

    Attributes:
        strategy: `Greedy`, `Beam` or `Sample`.
        min_length: least number of tokens.
        max_length: greatest number of tokens, the end symbol included. Default: twice the
            source's steps and 10, or as many as `min_length` needs.
        no_repeat: no n-gram of this length comes twice; 0 allows all.
        precision: None, or "bfloat16", to which the operands of the product that makes the logits
            are then rounded, while sums stay in float32. Faster on JAX; few texts change by it.

    Raises:
        UserError: a number is out of its range, or there is no such precision.
    """

    strategy: Greedy | Beam | Sample = Beam(5)
    min_length: int = 0
    max_length: int | None = None
    no_repeat: int = 0
    precision: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("min_length", 0), ("max_length", 1), ("no_repeat", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UserError(f"{name} must be at least {least}, not {value}.")
        if self.precision not in (None, "bfloat16"):
            raise UserError(f'precision must be "bfloat16" or None, not {self.precision!r}.')

    def length_for(self, steps: Any) -> Any:
        """The greatest number of tokens for sources of so many steps."""
        if self.max_length is not None:
            return 0 * steps + self.max_length
        return np.maximum(2 * steps + 10, self.min_length + 1)


class Generator:
    """The compiled functions of some models that share a target vocabulary.

    Args:
        models: one model, or the members of an ensemble.
    """

    def __init__(self, models: Sequence[Any]):
        self.models = list(models)
        if any(model.preprocessor is None for model in models):
            raise UserError("A model without a preprocessor cannot read or write text.")
        if len(models) > 1 and len({model.preprocessor.digest("target") for model in models}) > 1:
            raise UserError(
                "The members of an ensemble must have one target vocabulary: train them on the "
                "same data with the same tokenizer settings."
            )
        decoders = [model.decoder for model in models]
        self._decoder = Ensemble(decoders) if len(decoders) > 1 else decoders[0]
        # Listed once: to walk the layers takes as long as some steps of decoding.
        self._variables = [variable for model in models for variable in model.variables]
        self._functions: dict[tuple, Callable] = {}
        self._constants: dict[str | None, backend.Constants] = {}
        self._traced: set = set()
        self._tracing = threading.Lock()

    def __call__(
        self,
        sources: Sequence[Any],
        options: Options,
        prefixes: Sequence[str] | None = None,
        batch_size: int = 32,
        jit: bool | None = None,
        first_row: int = 0,
    ) -> Iterator[list[Hypothesis]]:
        """The hypotheses of each source, best first, in the order of the sources.

        Args:
            prefixes: the beginning of each text, as far as it is prescribed.
            batch_size: sources that are decoded together, at most.
            jit: compile by XLA on TensorFlow; by default where there is enough to do.
            first_row: the index of the first source, for the random numbers of `Sample`.

        Raises:
            UserError: `batch_size` is less than 1, or there are not as many prefixes as sources.
        """
        if batch_size < 1:
            raise UserError(f"batch_size must be at least 1, not {batch_size}.")
        if prefixes is not None and len(prefixes) != len(sources):
            raise UserError(f"{len(prefixes)} prefixes for {len(sources)} sources")
        jit = len(sources) >= 2 * batch_size if jit is None else jit
        if backend.parallel_calls() > 1:
            batch_size = min(batch_size, _ROWS_ON_A_CORE)
        step = batch_size * CHUNK
        for start in range(0, len(sources), step):
            here = slice(start, start + step)
            some = None if prefixes is None else prefixes[here]
            yield from self._chunk(sources[here], first_row + start, options, some, batch_size, jit)

    def _chunk(self, sources, start, options, prefixes, batch_size, jit):
        features = [model.preprocessor.features(sources) for model in self.models]
        lengths = features[0]["mask"].sum(axis=1)
        order = np.argsort(lengths, kind="stable")
        found: list = [None] * len(sources)

        def decode(chosen: np.ndarray, room: int | None) -> None:
            # A row that fills the shape is another copy of the first, which costs no step more.
            missing = _row_ladder(len(chosen)) - len(chosen)
            rows = np.concatenate([chosen, np.repeat(chosen[:1], missing)])
            inputs = [
                _crop(some, rows, model.preprocessor)
                for some, model in zip(features, self.models, strict=True)
            ]
            some = None if prefixes is None else [prefixes[row] for row in rows]
            results = self._batch(inputs, lengths[rows], start + rows, options, some, jit, room)
            for row, hypotheses in zip(chosen, results, strict=False):
                found[row] = hypotheses

        _side_by_side(decode, order, batch_size, _ROOM if options.max_length is None else None)
        cut = [row for row in order if found[row] is None]
        _side_by_side(decode, np.array(cut, order.dtype), batch_size, None)
        return found

    def _batch(self, inputs, lengths, rows, options, prefixes, jit, room):
        """The hypotheses of each row, or None where `room` steps beyond the source's are few."""
        limits = options.length_for(lengths).astype("int32")
        steps = inputs[0]["mask"].shape[1]
        length = int(options.length_for(steps))
        most = self._decoder.max_steps
        if most is not None and length > most:
            if options.max_length is not None:
                raise UserError(
                    f"max_length is {length}, but the model has positions for {most} steps."
                )
            length = most
            limits = np.minimum(limits, length)
        length = length if room is None else min(length, max(steps, options.min_length) + room)
        extra = {"limits": limits}
        preprocessor = self.models[0].preprocessor
        if isinstance(options.strategy, Sample):
            extra["uniforms"] = options.strategy.draw(rows, length)
        if prefixes is not None:
            ragged = preprocessor.prefix(prefixes)
            width = preprocessor.padded_length(int(ragged.lengths.max()) + 1)
            length = max(length, width + 1)
            extra["limits"] = np.maximum(limits, ragged.lengths.astype("int32") + 1)
            mask = np.arange(width) < ragged.lengths[:, None]
            forced = np.zeros(mask.shape, "int32")
            forced[mask] = ragged.ids
            extra["prefix"] = {"tokens": forced, "lengths": ragged.lengths.astype("int32")}
        results = self._run(self._function(options, length, jit), inputs, extra)
        tokens, scores, cut = map(ops.convert_to_numpy, results)
        n, best, _ = tokens.shape
        texts = preprocessor.detokenize(tokens.reshape(n * best, -1))
        return [
            None
            if cut[row]
            else [
                Hypothesis(texts[row * best + i], float(scores[row, i]), _real(tokens[row, i]))
                for i in range(best)
                if np.isfinite(scores[row, i])
            ]
            for row in range(n)
        ]

    def _run(self, function, *args):
        """Call a compiled function, while no other thread traces one if this call does."""
        args = tree.map_structure(ops.convert_to_tensor, args)
        key = function, tuple(tuple(leaf.shape) for leaf in tree.flatten(args))
        if key in self._traced:
            return function(*args)
        with self._tracing:
            result = function(*args)
            self._traced.add(key)
        return result

    def _function(self, options: Options, length: int, jit: bool) -> Callable:
        key = (options, length, jit)
        if key not in self._functions:
            precision = options.precision
            if precision not in self._constants:
                make = functools.partial(self._decoder.constants, precision)
                self._constants[precision] = backend.Constants(self._variables, make)

            def generate(constants, inputs, extra):
                memories = [
                    model.encode(features)
                    for model, features in zip(self.models, inputs, strict=True)
                ]
                return search(
                    self._decoder,
                    memories if len(memories) > 1 else memories[0],
                    options.strategy,
                    length,
                    _filters(options, extra.get("prefix")),
                    extra["limits"],
                    extra.get("uniforms"),
                    constants,
                )

            self._functions[key] = backend.compiled(
                self._variables, generate, jit, self._constants[precision]
            )
        return self._functions[key]


def _side_by_side(decode: Callable, rows: np.ndarray, batch_size: int, room: int | None) -> None:
    """`decode(some rows, room)` for all of them, as many calls at a time as are worth it."""
    parts = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    workers = min(backend.parallel_calls(), len(parts))
    if workers <= 1:
        for part in parts:
            decode(part, room)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda part: decode(part, room), parts))


def _filters(options: Options, prefix: dict | None) -> list:
    filters: list = []
    if options.min_length:
        filters.append(MinimumLength(options.min_length))
    if options.no_repeat:
        filters.append(NoRepeatedNGram(options.no_repeat))
    if prefix is not None:
        filters.append(ForcedPrefix(prefix["tokens"], prefix["lengths"]))
    return filters


def _row_ladder(rows: int) -> int:
    """The next power of two: compiled functions come in few sizes of batch."""
    return 1 << (rows - 1).bit_length()


def _crop(features: dict, rows: np.ndarray, preprocessor: Any) -> dict:
    """Some rows of the features, without padding that none of them needs."""
    steps = preprocessor.padded_length(int(features["mask"][rows].sum(axis=1).max()))
    return {key: array[rows, :steps] for key, array in features.items()}


def _real(tokens: np.ndarray) -> tuple[int, ...]:
    return tuple(int(token) for token in tokens[tokens != 0])
