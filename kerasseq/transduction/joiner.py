"""What joins a transducer's encoder and its prediction network."""

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

    Graves et al., 2013 (Speech recognition with deep recurrent neural networks), equations 15 to
    17, with h_t of the encoder, its two directions joined, and g_u of the prediction network.

    Both are projected once, `project_encoded(h (..., D)) -> (..., J)` and
    `project_predicted(g (..., E)) -> (..., J)`; the layer is called with two of these, which
    broadcast against each other, and gives logits (..., V).

    Args:
        vocabulary_size: V, with blank, which is 0.
        units: J.

    Raises:
        UserError: an argument is out of its range.
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
        return self.encoded(encoded)

    def project_predicted(self, predicted: Any) -> Any:
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
