"""From raw sources to texts: batches of few shapes through one compiled function."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasseq import backend
from kerasseq.errors import UserError
from kerasseq.generation import (
    Ensemble,
    ForcedPrefix,
    MinimumLength,
    NoRepeatedNGram,
    Sample,
    search,
)
from kerasseq.models.batching import Compiled, crop, filled, side_by_side
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.options import Options

CHUNK = 64
"""Batches that are ordered by length together."""

# A core takes as long for a row in batches of 8 as in larger ones, of which more rows wait for
# the longest; and the caches of 8 stay in its own cache.
_ROWS_ON_A_CORE = 8

# Steps beyond the source's for which there is room at first. What attention costs goes with the
# room, and few texts are longer; those are searched once more, with all the room they may have.
_ROOM = 8


class Generator:
    """The compiled functions of some models that share a target vocabulary.

    Args:
        models: one model, or the members of an ensemble.
    """

    def __init__(self, models: Sequence[Any]):
        self.models = list(models)
        for model in models:
            model.require_preprocessor()
        if len(models) > 1 and len({model.preprocessor.digest("target") for model in models}) > 1:
            raise UserError(
                "The members of an ensemble must have one target vocabulary: train them on the "
                "same data with the same tokenizer settings."
            )
        # Listed once: to walk the layers takes as long as some steps of decoding.
        self._variables = [variable for model in models for variable in model.variables]
        self._functions: dict[tuple, Callable] = {}
        self._scorers: dict[tuple, Any] = {}
        self._constants: dict[tuple, backend.Constants] = {}

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
            rows = filled(chosen)
            inputs = [
                crop(some, rows, model.preprocessor)
                for some, model in zip(features, self.models, strict=True)
            ]
            some = None if prefixes is None else [prefixes[row] for row in rows]
            results = self._batch(inputs, lengths[rows], start + rows, options, some, jit, room)
            for row, hypotheses in zip(chosen, results, strict=False):
                found[row] = hypotheses

        room = _ROOM if options.max_length is None else None
        side_by_side(functools.partial(decode, room=room), order, batch_size)
        cut = np.array([row for row in order if found[row] is None], order.dtype)
        side_by_side(functools.partial(decode, room=None), cut, batch_size)
        return found

    def _batch(self, inputs, lengths, rows, options, prefixes, jit, room):
        """The hypotheses of each row, or None where `room` steps beyond the source's are few."""
        # Texts are as long as what is attended to, of which an encoder may make little.
        factor = self.models[0].reduction
        limits = options.length_for(-(-lengths // factor)).astype("int32")
        steps = -(-inputs[0]["mask"].shape[1] // factor)
        length = int(options.length_for(steps))
        most = self._scorer(options).max_steps
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
            width = preprocessor.padded_length(int(ragged.lengths.max()) + 1, "target")
            length = max(length, width + 1)
            extra["limits"] = np.maximum(limits, ragged.lengths.astype("int32") + 1)
            mask = np.arange(width) < ragged.lengths[:, None]
            forced = np.zeros(mask.shape, "int32")
            forced[mask] = ragged.ids
            extra["prefix"] = {"tokens": forced, "lengths": ragged.lengths.astype("int32")}
        results = self._function(options, length, jit)(inputs, extra)
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

    def _scorer(self, options: Options) -> Any:
        """What the search asks for scores: that of the model, or of an ensemble's members."""
        key = options.weights
        if key not in self._scorers:
            members = [model.scorer(options) for model in self.models]
            self._scorers[key] = Ensemble(members) if len(members) > 1 else members[0]
        return self._scorers[key]

    def _function(self, options: Options, length: int, jit: bool) -> Callable:
        key = (options, length, jit)
        if key not in self._functions:
            scorer, precision = self._scorer(options), (options.precision, *options.weights)
            if precision not in self._constants:
                make = functools.partial(scorer.constants, options.precision)
                self._constants[precision] = backend.Constants(self._variables, make)

            def generate(constants, inputs, extra):
                memories = [
                    model.remember(features, options)
                    for model, features in zip(self.models, inputs, strict=True)
                ]
                return search(
                    scorer,
                    memories if len(memories) > 1 else memories[0],
                    options.strategy,
                    length,
                    _filters(options, extra.get("prefix")),
                    extra["limits"],
                    extra.get("uniforms"),
                    constants,
                )

            self._functions[key] = Compiled(
                self._variables, generate, jit, self._constants[precision]
            )
        return self._functions[key]


def _filters(options: Options, prefix: dict | None) -> list:
    filters: list = []
    if options.min_length:
        filters.append(MinimumLength(options.min_length))
    if options.no_repeat:
        filters.append(NoRepeatedNGram(options.no_repeat))
    if prefix is not None:
        filters.append(ForcedPrefix(prefix["tokens"], prefix["lengths"]))
    return filters


def _real(tokens: np.ndarray) -> tuple[int, ...]:
    return tuple(int(token) for token in tokens[tokens != 0])
