"""Transcription of sound while it arrives."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from kerasseq.checks import Positive, abbreviate, check_option
from kerasseq.errors import UserError
from kerasseq.masking import Memory
from kerasseq.models.transducer import Transducer
from kerasseq.transduction.transducer_search import transducer_greedy_search


class Stream:
    """A transducer on sound that arrives bit by bit: the text so far, which is never revised.

    The whole text is that of greedy search on all the sound.

    Args:
        model: a `Transducer` with an encoder that streams and a prediction network that does not
            attend to it.
        chunk: seconds of sound that the model reads together, at least.

    Attributes:
        latency: seconds that may pass from a sound to its text: the lookahead of the encoder, and a
            chunk.

    Raises:
        UserError: the model cannot stream.
    """

    def __init__(self, model: Transducer, chunk: float = 0.16):
        check_option("chunk", chunk, Positive)
        if not isinstance(model, Transducer) or model.decoder.attention is not None:
            raise UserError("Only a transducer without attention can transcribe a stream.")
        encoder, rate = model.encoder, model.require_preprocessor().rate
        if not encoder.streams:
            raise UserError(
                "This model hears the whole recording before it writes: train one with "
                "model.encoder.kind=conv-lstm, sound.normalization=running and sound.margin=0, "
                "which streams."
            )
        self.model = model
        blocks = max(1, round(chunk * rate / encoder.block))
        self._size = blocks * encoder.block
        self.latency = (encoder.lead + self._size) / rate
        self._waiting = np.zeros(0, np.int16)
        self._state, self._begun = encoder.begin_stream(1), None
        self._tokens: list[int] = []
        self._finished = False

    @property
    def text(self) -> str:
        """The text so far."""
        return self.model.preprocessor.detokenize([self._tokens])[0]

    def push(self, samples: np.ndarray) -> str:
        """Returns the text after more samples (n,) int16 at the model's rate.

        Raises:
            UserError: the samples are of another kind, or the stream was finished.
        """
        if self._finished:
            raise UserError("This stream was finished: make another one for more sound.")
        if np.ndim(samples) != 1 or getattr(samples, "dtype", None) != np.int16:
            raise UserError(f"A stream takes arrays (n,) of int16, not {abbreviate(samples)}.")
        self._waiting = np.concatenate([self._waiting, samples])
        while len(self._waiting) >= (size := self._next_size):
            self._read(self._waiting[:size], False)
            self._waiting = self._waiting[size:]
        return self.text

    def finish(self) -> str:
        """Returns the whole text; nothing comes after it."""
        if self._finished:
            return self.text
        self._finished = True
        # A recording is padded likewise where it is too short for one step.
        least = self.model.encoder.lead + self.model.encoder.factor if self._begun is None else 0
        missing = max(least - len(self._waiting), 0)
        self._read(np.pad(self._waiting, (0, missing)), True)
        self._waiting = self._waiting[:0]
        return self.text

    @property
    def _next_size(self) -> int:
        """The samples of the next chunk."""
        return self._size + (self.model.encoder.lead if self._begun is None else 0)

    def _read(self, samples: np.ndarray, last: bool) -> None:
        encoder = self.model.encoder
        read = encoder.flush if last else encoder.stream
        step = self._run(("flush" if last else "stream"), read, samples[None], self._state)
        values, self._state = (step, None) if last else step
        if values.shape[1] == 0:
            return
        begun = () if self._begun is None else (self._begun,)
        symbols = self.model.max_symbols
        found, self._begun = self._run(("search", symbols), self._search, values, *begun)
        count = int((ops.convert_to_numpy(found.tokens)[0] != 0).sum())
        self._tokens += ops.convert_to_numpy(found.tokens)[0, :count].tolist()

    def _run(self, key: Any, fn: Callable, *args: Any) -> Any:
        return self.model.functions(("stream", key), fn, *args, jit=False)

    def _search(self, values: Any, begun: Any = None) -> Any:
        model, mask = self.model, ops.ones(ops.shape(values)[:2], dtype="bool")
        memory = Memory(values, mask)
        symbols = model.max_symbols
        return transducer_greedy_search(
            model.decoder, model.joiner, memory, None, symbols, begun=begun
        )
