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
    """Causal gated convolutions, each followed by attention over the memory.

        y = GLU(Conv(h_{l-1}));  d = (W_d y + e) * sqrt(0.5);  c = sqrt(S) * attention(d)
        h_l = ((y + W_c c) * sqrt(0.5) + h_{l-1}) * sqrt(0.5)

    Gehring et al., 2017, sections 3.3 and 3.4. Their keys are the encoder's output without the
    embeddings; here a bilinear score projects them from the memory, or any other score is used.

    Args:
        embedding: of the target's tokens, with positions.
        units: channels U of each layer.
        layers: how many are stacked.
        kernel_size: steps that a convolution sees, its own and those before it.
        score: of the attentions, whose alignment is global; none that needs the step before.
        dropout: fraction of each convolution's input and of the features dropped in training.
        tied: compute the logits with the embedding's matrix.

    Raises:
        UserError: an argument is out of its range, or the score needs the step before.
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
                    f"All steps attend at once, but {score!r} needs the weights of the step before."
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
        """T steps behind the k - 1 inputs `pasts` (N, k - 1, U) that each layer saw last.

        Returns the features (N, T, D), what each layer saw (N, k - 1 + T, U), and the mean of
        the attentions' weights (N, T, S).
        """
        hidden, seen, all_weights = self.enter(embedded), [], []
        scale = ops.sqrt(static["lengths"])[:, None, None]
        for i, convolution in enumerate(self.convolutions):
            inputs = self.dropout(hidden, training=training)
            seen.append(ops.concatenate([pasts[i], inputs], axis=1))
            y = glu(convolution(seen[-1]))
            queries = (self.queries[i](y) + embedded) * SQRT_HALF
            context, weights, _ = self.attentions[i].attend(queries, static["layers"][i], {})
            all_weights.append(weights)
            y = (y + self.contexts[i](context * scale)) * SQRT_HALF
            hidden = (y + hidden) * SQRT_HALF
        features = self.dropout(self.leave(hidden), training=training)
        return features, seen, sum(all_weights) / len(all_weights)

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
        features, seen, weights = self._decode(embedded, state["pasts"], static, False)
        pasts = [inputs[:, 1:] for inputs in seen]
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
