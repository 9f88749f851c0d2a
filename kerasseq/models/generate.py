"""From raw sources to texts: batches of few shapes through one compiled function."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from kerasseq import backend
from kerasseq.errors import OptionError, UserError
from kerasseq.generation import (
    Ensemble,
    ForcedPrefix,
    MinimumLength,
    NoRepeatedNGram,
    Sample,
    search,
)
from kerasseq.models.base import LANGUAGE_MODEL
from kerasseq.models.batching import fill_batch, map_by_length
from kerasseq.models.functions import Functions
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.options import Options
from kerasseq.preprocessing.padding import ladder_length, pad_ragged

# Batches that are ordered by length together.
_CHUNK = 64

# A core takes as long for a row in batches of 8 as in larger ones, in which more rows wait for the
# longest. The caches of 8 rows also stay in the core's own cache.
_ROWS_ON_A_CORE = 8

# Steps beyond the source's in the buffers of the first search, without a greatest length. The cost
# of attention grows with the buffers, and few texts are longer: a second search finds those.
_SPARE_STEPS = 8


class _Plan(NamedTuple):
    """The facts that the graph of a search depends on, except its weights and shapes.

    Attributes:
        strategy: its form.
        length: the steps of its buffers.
        filters: `no_repeat` of `Options`, whether there is a `min_length`, and whether there are
            prefixes.
        precision: of `Options`.
        scorers: for each model, the names of its scorers.
    """

    strategy: Any
    length: int
    filters: tuple[int, bool, bool]
    precision: str | None
    scorers: tuple[tuple[str, ...], ...]


class Generator:
    """Generates texts with one model, or with several that share a target vocabulary.

    Args:
        models: one model, or the members of an ensemble.
        functions: those of all their layers.
    """

    def __init__(self, models: Sequence[Any], functions: Functions):
        self.models, self.functions = list(models), functions
        for model in models:
            model.require_preprocessor()
        if len(models) > 1 and len({model.preprocessor.digest("target") for model in models}) > 1:
            raise UserError(
                "The members of an ensemble must have one target vocabulary: train them on the "
                "same data with the same tokenizer settings."
            )

    def __call__(
        self,
        sources: Sequence[Any],
        options: Options,
        prefixes: Sequence[str] | None = None,
        batch_size: int = 32,
        jit: bool | None = None,
        first_row: int = 0,
    ) -> Iterator[list[Hypothesis]]:
        """Yields the hypotheses of each source, best first, in the order of the sources.

        Args:
            prefixes: the beginning of each text, as far as it is prescribed.
            batch_size: sources that are decoded together, at most.
            jit: compile by XLA on TensorFlow; by default where there is enough to do.
            first_row: the index of the first source, for the random numbers of `Sample`.

        Raises:
            UserError: the number of prefixes is not that of the sources.
        """
        if prefixes is not None and len(prefixes) != len(sources):
            raise UserError(
                f"There are {len(prefixes)} prefixes for {len(sources)} sources: give one for "
                'each, which may be "".'
            )
        jit = len(sources) >= 2 * batch_size if jit is None else jit
        if backend.count_parallel_calls() > 1:
            batch_size = min(batch_size, _ROWS_ON_A_CORE)

        def decode(inputs: list, rows: np.ndarray, attempt: int) -> list:
            count, rows = len(rows), fill_batch(rows)
            some = None if prefixes is None else [prefixes[row] for row in rows]
            return self._batch(inputs, first_row + rows, options, some, jit, attempt)[:count]

        preprocessors = [model.preprocessor for model in self.models]
        chunk = batch_size * _CHUNK
        return map_by_length(preprocessors, sources, chunk, batch_size, decode)

    def _batch(self, inputs, rows, options, prefixes, jit, attempt):
        """Returns the hypotheses of each row; None where this attempt has too few steps."""
        # The length of a text follows that of the memory, which an encoder may make shorter.
        lengths, factor = inputs[0]["mask"].sum(axis=1), self.models[0].reduction
        limits = options.length_for(-(-lengths // factor)).astype("int32")
        steps = -(-inputs[0]["mask"].shape[1] // factor)
        scorers = [model.scorers(options) for model in self.models]
        most = self._count_positions(scorers)
        length = int(options.length_for(steps))
        if length > most:
            length = _limit_length(length, most, options)
            limits = np.minimum(limits, length)
        length = min(_count_steps(steps, length, options, attempt), most)
        extra = {"limits": limits}
        preprocessor = self.models[0].preprocessor
        if isinstance(options.strategy, Sample):
            extra["uniforms"] = options.strategy.draw(rows, length)
        if prefixes is not None:
            ragged = preprocessor.prefix(prefixes)
            forced = ragged.lengths.astype("int32")
            needed = int(forced.max()) + 1
            if needed > min(most, options.max_length or most):
                raise OptionError(
                    "prefix",
                    f"and the end symbol are {needed} tokens, and a text has at most "
                    f"{min(most, options.max_length or most)}: give a shorter one",
                )
            width = preprocessor.padded_length(needed, "target")
            length = min(max(length, width + 1), most)
            extra["limits"] = np.maximum(limits, forced + 1)
            extra["prefix"] = {"tokens": pad_ragged(ragged, width), "lengths": forced}
        extra["numbers"] = options.strategy.numbers(length)
        extra["weights"] = [np.float32(list(some.values())) for some in scorers]
        extra["tables"] = [
            model.tables(some) for model, some in zip(self.models, scorers, strict=True)
        ]
        if options.min_length:
            extra["min_length"] = np.int32(options.min_length)
        plan = _Plan(
            options.strategy.form(),
            length,
            (options.no_repeat, options.min_length > 0, prefixes is not None),
            options.precision,
            tuple(map(tuple, scorers)),
        )
        tokens, scores, cut = map(ops.convert_to_numpy, self._search(plan, jit, inputs, extra))
        n, best, _ = tokens.shape
        texts = preprocessor.detokenize(tokens.reshape(n * best, -1))
        return [
            None
            if cut[row]
            else [
                Hypothesis(
                    texts[row * best + i], float(scores[row, i]), _strip_padding(tokens[row, i])
                )
                for i in range(best)
                if np.isfinite(scores[row, i])
            ]
            for row in range(n)
        ]

    def _count_positions(self, scorers: list[dict]) -> int:
        """The most steps for which all models have positions."""
        pairs = zip(self.models, scorers, strict=True)
        known = [model.scorer(name).max_steps for model, names in pairs for name in names]
        return min((steps for steps in known if steps is not None), default=sys.maxsize)

    def _search(self, plan: _Plan, jit: bool, inputs: list, extra: dict) -> Any:
        models = list(zip(self.models, plan.scorers, strict=True))

        def constants() -> list[dict]:
            return [
                {
                    name: model.scorer(name).constants(plan.precision)
                    for name in names
                    if name != LANGUAGE_MODEL
                }
                for model, names in models
            ]

        def generate(constants, inputs, extra):
            parts = [
                model.fuse_scorers(names, weights, {**own, **tables}, model.encode(features))
                for (model, names), weights, own, tables, features in zip(
                    models, extra["weights"], constants, extra["tables"], inputs, strict=True
                )
            ]
            if len(parts) > 1:
                scorers, memories, known = zip(*parts, strict=True)
                parts = [(Ensemble(scorers), list(memories), list(known))]
            ((scorer, memory, known),) = parts
            return search(
                scorer,
                memory,
                plan.strategy,
                plan.length,
                _filters(plan, extra),
                extra["limits"],
                extra.get("uniforms"),
                known,
                extra["numbers"],
            )

        shared = self.functions.constants((plan.precision, plan.scorers), constants)
        return self.functions(plan, generate, inputs, extra, jit=jit, constants=shared)


def _limit_length(length: int, most: int, options: Options) -> int:
    """Returns the greatest length for which the models have positions, if the options allow it."""
    if options.max_length is not None:
        raise OptionError(
            "max_length", f"is {length}, but the model has positions for {most} steps"
        )
    if options.min_length >= most:
        raise OptionError(
            "min_length",
            f"is {options.min_length}, but the model has positions for {most} steps, the end "
            "symbol included",
        )
    return most


def _count_steps(steps: int, length: int, options: Options, attempt: int) -> int:
    """Returns the steps of the buffers of a search.

    The first attempt has enough steps for most texts of sources with `steps` steps. Without a
    `max_length`, the second has the whole `length`. Each length is compiled, so that with a
    `max_length` the lengths depend on it as little as possible: each further attempt has four times
    as many steps.
    """
    if options.max_length is not None:
        estimate = ladder_length(int(replace(options, max_length=None).length_for(steps)))
        enough = ladder_length(length)
        return enough if not attempt and 2 * enough < estimate else estimate * 4**attempt
    least = ladder_length(options.min_length) if options.min_length else 0
    return length if attempt else min(length, max(steps, least) + _SPARE_STEPS)


def _filters(plan: _Plan, extra: dict) -> list:
    no_repeat, minimum, forced = plan.filters
    filters: list = []
    if minimum:
        filters.append(MinimumLength(extra["min_length"]))
    if no_repeat:
        filters.append(NoRepeatedNGram(no_repeat))
    if forced:
        filters.append(ForcedPrefix(extra["prefix"]["tokens"], extra["prefix"]["lengths"]))
    return filters


def _strip_padding(tokens: np.ndarray) -> tuple[int, ...]:
    return tuple(int(token) for token in tokens[tokens != 0])
