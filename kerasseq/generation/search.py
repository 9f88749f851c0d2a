"""The one decoding loop, the same for every decoder, strategy and backend."""

from collections.abc import Sequence
from typing import Any

from keras import ops, tree

from kerasseq.generation.beam import Beam
from kerasseq.generation.filters import ForcedPrefix
from kerasseq.generation.selection import BEGIN, END, allowed_tokens
from kerasseq.generation.strategies import Greedy, Sample, Setting
from kerasseq.masking import Memory


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
    """Generate from a memory: a pure function of tensors, to be called as it is or compiled.

    Args:
        decoder: a `Decoder` or an `Ensemble`.
        memory: the encoder's `Memory`, for an ensemble the list of its members'.
        strategy: `Greedy`, `Beam` or `Sample`.
        max_length: most tokens of a hypothesis, the end symbol included; the size of all buffers.
        filters: of `kerasseq.generation.filters`; a `ForcedPrefix` comes before all others.
        limits: (N,) int32, most tokens of each source's hypotheses, where they differ; by default
            `max_length`. They let buffers come in few sizes without a change of any result.
        uniforms: (N, max_length), `Sample.draw(rows, max_length)` for the rows' indices in the
            whole input; by default the rows are numbered from 0.
        constants: `decoder.constants()`, where the caller keeps them.
        numbers: `strategy.numbers(max_length)`, where the caller has them as arguments of a
            compiled function. The strategy is then the `form` of the one that they are of.

    Returns:
        Tokens (N, n_best, max_length) int32, with pad after the end symbol and no end symbol
        where a hypothesis is unfinished, and scores (N, n_best), best first. Where there are
        fewer than n_best hypotheses the rest has only pad and a score of minus infinity.
        Last (N,) bool: which sources, for want of steps, have not what their own limit beyond
        `max_length` would give them.
    """
    n, width = ops.shape(tree.flatten(memory)[0])[0], strategy.width
    limits = ops.full((n,), max_length) if limits is None else ops.convert_to_tensor(limits)
    if uniforms is None and isinstance(strategy, Sample) and isinstance(n, int):
        uniforms = strategy.draw(range(n), max_length)
    numbers = strategy.numbers(max_length) if numbers is None else numbers
    setting = Setting(
        n,
        max_length,
        ops.cast(limits, "int32"),
        memory.mask if isinstance(memory, Memory) else None,
        None if uniforms is None else ops.convert_to_tensor(uniforms, dtype="float32"),
        tree.map_structure(ops.convert_to_tensor, numbers),
    )
    # The forced tokens override what the others forbid.
    filters = sorted(filters, key=lambda f: isinstance(f, ForcedPrefix))
    histories = [f.begin(n, width, max_length) for f in filters]
    static, state = decoder.begin(memory, max_length, constants)
    if width > 1:
        static, state = decoder.expand(static, state, width)
    tokens = ops.full((n * width,), BEGIN, dtype="int32")

    def cond(position, tokens, state, histories, pool):
        going = ops.any(strategy.going(position, pool, setting))
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
            # A hypothesis that may go on with nothing ends, and is not lost.
            stuck = ops.logical_not(ops.any(allowed, axis=-1, keepdims=True))
            ends = ops.arange(logits.shape[-1], dtype="int32") == END
            allowed = ops.logical_or(allowed, ops.logical_and(stuck, ends))
        tokens, parents, pool = strategy.advance(logits, allowed, position, state, pool, setting)
        if parents is not None:
            state = decoder.reorder(state, parents)
            histories = tree.map_structure(lambda leaf: ops.take(leaf, parents, axis=0), histories)
        return position + 1, tokens, state, histories, pool

    start = (ops.zeros((), dtype="int32"), tokens, state, histories, strategy.begin(setting))
    position, _, _, _, pool = ops.while_loop(cond, body, start)
    return *strategy.finish(position, pool, setting), strategy.going(position, pool, setting)
