"""What layers have in common that can run on a stream, chunk by chunk."""

from typing import Any

from keras import ops


class Streaming:
    """Contract of a layer whose calls over chunks, put together, are its call over the whole.

    `begin_stream(n) -> state` starts `n` streams; `stream(values (N, C, ...), state) -> values
    (N, C', ...), state` takes the next chunk of all of them, of real steps alone; `flush(values,
    state) -> values` takes the last, of any length, 0 too, after which nothing more comes. The
    state is a pytree with the batch on axis 0. The first chunk is longer than the others by `lead`
    steps, so every chunk of C (+ lead) steps gives C / `factor` outputs and none is made up;
    therefore the shapes of the state too are others after the first chunk. C is a multiple of
    `block`.

    Attributes:
        factor: input steps to an output step.
        lead: input steps that the first chunk has more.
        latency: how many later input steps an output needs at most.
        streams: whether it can, as it is configured.
    """

    factor: int = 1
    lead: int = 0
    streams: bool = True

    @property
    def block(self) -> int:
        """A chunk is a multiple of so many input steps."""
        return self.factor

    @property
    def latency(self) -> int:
        return self.lead + self.block - 1

    def begin_stream(self, n: int) -> Any:
        raise NotImplementedError

    def stream(self, values: Any, state: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def flush(self, values: Any, state: Any) -> Any:
        if values.shape[1] == 0:
            # Nothing is held back where this is not overridden.
            return ops.zeros((ops.shape(values)[0], 0, self.width), self.compute_dtype)
        return self.stream(values, state)[0]
