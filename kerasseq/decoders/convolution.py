"""Convolutional decoder with an attention in every layer."""

from typing import Any

import keras
from keras import ops

from kerasseq.attention import StepAttention
from kerasseq.checks import Fraction, Size, checked
from kerasseq.decoders.base import Decoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders.convolution import SQRT_HALF, glu
from kerasseq.errors import UserError
from kerasseq.initializers import build
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.serialization import register


@register()
class ConvolutionalDecoder(Decoder):
    """A stack of causal gated convolutions, each with an attention to the memory.

        y = GLU(Conv(h_{l-1}));  d = (W_d y + e) * sqrt(0.5);  c = sqrt(S) * attention(d)
        h_l = ((y + W_c c) * sqrt(0.5) + h_{l-1}) * sqrt(0.5)

    Gehring et al., 2017, sections 3.3 and 3.4. In the paper the keys are the output of the
    encoder without the embeddings. Here the score projects the keys from the memory.

    Args:
        embedding: the embedding of the target tokens, with positions.
        units: U, the channels of each layer.
        layers: the number of layers.
        kernel_size: steps that a convolution reads: its own step and those before it.
        score: the name of the score of the attentions. Their alignment is global. A score that
            reads the weights of the step before ("location") is refused.
        dropout: fraction of the input of each convolution, and of the features, dropped in
            training.
        tied: whether to compute the logits with the matrix of the embedding.

    Shapes: tokens (N, T) int, memory (N, S, M) -> logits (N, T, V).

    Raises:
        UserError: an argument is out of its range, or the score needs the step before.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> memory = kerasseq.Memory(np.zeros((1, 5, 8), "float32"), np.ones((1, 5), bool))
    >>> embedding = kerasseq.TokenEmbedding(100, 8, positions="learned")
    >>> decoder = kerasseq.decoders.ConvolutionalDecoder(embedding, units=16)
    >>> decoder.build((None, None, 8))
    >>> tuple(decoder(np.array([[2, 4, 5]]), memory).shape)
    (1, 3, 100)
    """

    attends = True

    @checked
    def __init__(
        self,
        embedding: TokenEmbedding,
        units: Size,
        layers: Size = 1,
        kernel_size: Size = 3,
        score: str = "bilinear",
        dropout: Fraction = 0.0,
        tied: bool = False,
        **kwargs: Any,
    ):
        super().__init__(embedding, tied, **kwargs)
        self.units, self.kernel_size, self.score = units, kernel_size, score
        self.dropout = keras.layers.Dropout(dropout)
        self.enter = keras.layers.Dense(units, name="enter")
        self.leave = keras.layers.Dense(embedding.width, name="leave")
        self.convolutions, self.queries, self.attentions, self.contexts = [], [], [], []
        for i in range(layers):
            self.convolutions.append(
                keras.layers.Conv1D(2 * units, kernel_size, name=f"convolution_{i}")
            )
            self.queries.append(keras.layers.Dense(embedding.width, name=f"query_{i}"))
            self.attentions.append(StepAttention(score, name=f"attention_{i}"))
            if self.attentions[-1].stepwise:
                raise UserError(
                    f"All steps attend at once, but {score!r} needs the weights of the step "
                    'before: choose another score, for example "bilinear".'
                )
            self.contexts.append(keras.layers.Dense(units, name=f"context_{i}"))

    def build(self, memory_shape: Any) -> None:
        width = (None, None, self.embedding.width)
        build(self.enter, width)
        for part in (*self.convolutions, *self.queries, self.leave):
            build(part, (None, None, self.units))
        for attention, context in zip(self.attentions, self.contexts, strict=True):
            build(attention, width, memory_shape)
            build(context, memory_shape)
        self.build_logits(self.embedding.width)

    def _decode(
        self, embedded: Any, pasts: list, static: dict, training: bool
    ) -> tuple[Any, list, Any]:
        """Computes T steps.

        Args:
            pasts: for each layer the K - 1 inputs before these steps, (N, K - 1, U).

        Returns:
            The features (N, T, D), the inputs of each layer (N, K - 1 + T, U), and the mean of the
            attention weights (N, T, S).
        """
        hidden, all_inputs, all_weights = self.enter(embedded), [], []
        scale = ops.sqrt(static["lengths"])[:, None, None]
        for i, convolution in enumerate(self.convolutions):
            inputs = self.dropout(hidden, training=training)
            all_inputs.append(ops.concatenate([pasts[i], inputs], axis=1))
            y = glu(convolution(all_inputs[-1]))
            queries = (self.queries[i](y) + embedded) * SQRT_HALF
            context, weights, _ = self.attentions[i].attend(queries, static["layers"][i], {})
            all_weights.append(weights)
            y = (y + self.contexts[i](context * scale)) * SQRT_HALF
            hidden = (y + hidden) * SQRT_HALF
        features = self.dropout(self.leave(hidden), training=training)
        return features, all_inputs, sum(all_weights) / len(all_weights)

    def start(self, memory: Memory, length: int) -> tuple[dict, Any]:
        static = {
            "layers": [attention.precompute(memory) for attention in self.attentions],
            "lengths": ops.cast(mask_to_lengths(memory.mask), self.compute_dtype),
        }
        rows = ops.shape(memory.values)[0]
        past = ops.zeros((rows, self.kernel_size - 1, self.units), dtype=self.compute_dtype)
        weights = ops.zeros(ops.shape(memory.mask), dtype=self.compute_dtype)
        return static, {"pasts": [past] * len(self.convolutions), "weights": weights}

    def step_features(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        embedded = self.embedding.at(tokens, position)[:, None]
        features, inputs, weights = self._decode(embedded, state["pasts"], static, False)
        pasts = [values[:, 1:] for values in inputs]
        state = {"pasts": pasts, "weights": weights[:, 0]}
        return features[:, 0], state

    def features(self, tokens: Any, memory: Memory, training: bool = False) -> Any:
        embedded = self.embedding(tokens, training=training)
        static, state = self.start(memory, tokens.shape[1])
        return self._decode(embedded, state["pasts"], static, training)[0]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "layers": len(self.convolutions),
            "kernel_size": self.kernel_size,
            "score": self.score,
            "dropout": self.dropout.rate,
        }
