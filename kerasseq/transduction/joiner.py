"""The joiner of the encoder and the prediction network of a transducer."""

from typing import Any

import keras
from keras import ops

from kerasseq.checks import Size, VocabularySize, checked
from kerasseq.initializers import build
from kerasseq.precision import cast_variable
from kerasseq.serialization import register


@register()
class Joiner(keras.layers.Layer):
    """One distribution over blank and labels for each frame t and number of labels u before it.

        z_tu = W_o tanh(W_e h_t + W_p g_u + b) + b_o

    h_t comes from the encoder, whose two directions are joined, and g_u from the prediction
    network. Graves et al., 2013 (Speech recognition with deep recurrent neural networks), equations
    15 to 17.

    Project each of the two once: `project_encoded(h (..., D)) -> (..., J)` and
    `project_predicted(g (..., E)) -> (..., J)`. Call the layer with both projections, which
    broadcast against each other; it returns logits (..., V).

    Args:
        vocabulary_size: V, with the blank, which is 0.
        units: J.

    Raises:
        UserError: an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> joiner = kerasseq.transduction.Joiner(vocabulary_size=9, units=4)
    >>> joiner.build((None, None, 8), (None, None, 6))
    >>> frames = joiner.project_encoded(np.zeros((1, 5, 8), "float32"))
    >>> labels = joiner.project_predicted(np.zeros((1, 3, 6), "float32"))
    >>> tuple(joiner(frames[:, :, None], labels[:, None]).shape)  # (N, T, U + 1, V)
    (1, 5, 3, 9)
    """

    @checked
    def __init__(self, vocabulary_size: VocabularySize, units: Size, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size, self.units = vocabulary_size, units
        self.encoded = keras.layers.Dense(units, name="encoded")
        self.predicted = keras.layers.Dense(units, use_bias=False, name="predicted")
        self.output_projection = keras.layers.Dense(vocabulary_size, name="logits")

    def build(self, encoded_shape: Any, predicted_shape: Any) -> None:
        build(self.encoded, encoded_shape)
        build(self.predicted, predicted_shape)
        build(self.output_projection, (None, None, self.units))

    def project_encoded(self, encoded: Any) -> Any:
        """W_e h + b."""
        return self.encoded(encoded)

    def project_predicted(self, predicted: Any) -> Any:
        """W_p g."""
        return self.predicted(predicted)

    def hidden(self, encoded: Any, predicted: Any) -> Any:
        """tanh(W_e h + W_p g + b) of two projections."""
        return ops.tanh(encoded + predicted)

    def output_weights(self) -> tuple[Any, Any]:
        """W_o (J, V) and b_o (V,)."""
        output = self.output_projection
        return cast_variable(output, output.kernel), cast_variable(output, output.bias)

    def call(self, encoded: Any, predicted: Any) -> Any:
        return self.output_projection(self.hidden(encoded, predicted))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "units": self.units,
        }
