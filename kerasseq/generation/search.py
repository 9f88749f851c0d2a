"""The one decoding loop, the same for every decoder, strategy and backend."""

from collections.abc import Sequence
from typing import Any

from keras import ops, tree

from kerasseq.generation.beam import Beam
from kerasseq.generation.filters import ForcedPrefix
from kerasseq.generation.selection import allowed_tokens
from kerasseq.generation.strategies import Greedy, Sample, SearchContext
from kerasseq.masking import Memory
from kerasseq.special_ids import BEGIN, END


def search(
    decoder: Any,
    memory: Any,
    strategy: Greedy | Beam | Sample,
    max_length: int,
    filters: Sequence[Any] = (),
    limits: Any = None,
    uniforms: Any = None,
    constants: Any = None,
    numbers: dict | None = None,
) -> tuple[Any, Any, Any]:
    """Generates from a memory. This is a pure function of tensors: call it as it is or compile it.

    Args:
        decoder: a `Decoder`, an `NGram`, an `Ensemble` or a `ShallowFusion`.
        memory: the encoder's `Memory`; for several scorers the list of their memories.
        strategy: `Greedy`, `Beam` or `Sample`.
        max_length: the most tokens of a hypothesis, the end symbol included; the size of all
            buffers.
        filters: of `kerasseq.generation.filters`. A `ForcedPrefix` overrides the others.
        limits: (N,) int32, the most tokens of each source's hypotheses where they differ. The
            default is `max_length`. With limits, buffers can have few sizes without a change of any
            result.
        uniforms: (N, max_length), `Sample.draw(rows, max_length)` for the rows' indices in the
            whole input. By default the rows are numbered from 0.
        constants: `decoder.constants()`, if the caller has them.
        numbers: `strategy.numbers(max_length)`, if the caller has them as arguments of a compiled
            function. The strategy is then the `form` of their strategy.

    Returns:
        Tokens (N, n_best, max_length) int32, with padding after the end symbol, and without an end
        symbol where a hypothesis is unfinished. Scores (N, n_best), best first. Where there are
        fewer than n_best hypotheses, the rest has only padding and a score of minus infinity. Last
        (N,) bool: whether more steps, within the source's own limit beyond `max_length`, could
        change the result.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq.generation import Beam, search
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> memory = kerasseq.Memory(np.zeros((1, 1, 1), "float32"), np.ones((1, 1), bool))
    >>> tokens, scores, cut = search(model, memory, Beam(3), max_length=5)
    >>> [int(token) for token in tokens[0, 0]], bool(cut[0])
    ([4, 5, 6, 3, 0], False)
    """
    n, width = ops.shape(tree.flatten(memory)[0])[0], strategy.width
    limits = ops.full((n,), max_length) if limits is None else ops.convert_to_tensor(limits)
    if uniforms is None and isinstance(strategy, Sample) and isinstance(n, int):
        uniforms = strategy.draw(range(n), max_length)
    numbers = strategy.numbers(max_length) if numbers is None else numbers
    context = SearchContext(
        n,
        max_length,
        ops.cast(limits, "int32"),
        memory.mask if isinstance(memory, Memory) else None,
        None if uniforms is None else ops.convert_to_tensor(uniforms, dtype="float32"),
        tree.map_structure(ops.convert_to_tensor, numbers),
    )
    # Forced tokens override the other filters.
    filters = sorted(filters, key=lambda f: isinstance(f, ForcedPrefix))
    histories = [f.begin(n, width, max_length) for f in filters]
    static, state = decoder.begin(memory, max_length, constants)
    if width > 1:
        static, state = decoder.expand(static, state, width)
    tokens = ops.full((n * width,), BEGIN, dtype="int32")

    def cond(position, tokens, state, histories, pool):
        going = ops.any(strategy.going(position, pool, context))
        return ops.logical_and(position < max_length, going)

    def body(position, tokens, state, histories, pool):
        logits, state = decoder.step(tokens, position, static, state)
        logits = ops.cast(logits, "float32")
        # No mask unless a filter wants one: over V columns it is a good part of a step.
        allowed = ops.convert_to_tensor(allowed_tokens(logits.shape[-1])) if filters else None
        histories = list(histories)
        for i, f in enumerate(filters):
            allowed, histories[i] = f.allow(allowed, tokens, position, histories[i])
        if filters:
            # A hypothesis without an allowed token ends, and is not lost.
            stuck = ops.logical_not(ops.any(allowed, axis=-1, keepdims=True))
            ends = ops.arange(logits.shape[-1], dtype="int32") == END
            allowed = ops.logical_or(allowed, ops.logical_and(stuck, ends))
        tokens, parents, pool = strategy.advance(logits, allowed, position, state, pool, context)
        if parents is not None:
            state = decoder.reorder(state, parents)
            histories = tree.map_structure(lambda leaf: ops.take(leaf, parents, axis=0), histories)
        return position + 1, tokens, state, histories, pool

    start = (ops.zeros((), dtype="int32"), tokens, state, histories, strategy.begin(context))
    position, _, _, _, pool = ops.while_loop(cond, body, start)
    return *strategy.finish(position, pool, context), strategy.going(position, pool, context)
