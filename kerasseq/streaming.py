"""The contract of layers that run on a stream, chunk by chunk."""

from typing import Any

from keras import ops


class Streaming:
    """Contract of a layer whose outputs for chunks, concatenated, equal its output for the whole.

    - `begin_stream(n) -> state` starts `n` streams.
    - `stream(values (N, C, ...), state) -> values (N, C', ...), state` reads the next chunk of all
      streams. A chunk has no padding.
    - `flush(values, state) -> values` reads the last chunk, which may have any length, also 0.

    The state is a pytree with the batch on axis 0. C is a multiple of `block`. The first chunk has
    `lead` steps more, so that every chunk gives C / `factor` outputs. The shapes of the state may
    change after the first chunk.

    Attributes:
        factor: the number of input steps in an output step.
        lead: the number of additional input steps in the first chunk.
        latency: the largest number of later input steps that an output needs.
        streams: whether the layer streams, as it is configured.
    """

    factor: int = 1
    lead: int = 0
    streams: bool = True

    @property
    def block(self) -> int:
        """The number of input steps of which the length of a chunk is a multiple."""
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
            # A layer that holds steps back overrides this.
            return ops.zeros((ops.shape(values)[0], 0, self.width), self.compute_dtype)
        return self.stream(values, state)[0]
