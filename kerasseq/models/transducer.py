"""The transducer model."""

from collections.abc import Callable
from typing import Annotated, Any

import keras
import numpy as np
from keras import ops

from kerasseq.checks import Encoder, checked, whole
from kerasseq.decoders import RNNDecoder
from kerasseq.errors import UserError
from kerasseq.generation import Greedy
from kerasseq.initializers import build, build_and_get_width
from kerasseq.losses import label_weights
from kerasseq.masking import mask_to_lengths
from kerasseq.models.batching import read_hypotheses
from kerasseq.models.frame_synchronous import FrameSynchronousModel
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.inputs import require_inputs
from kerasseq.models.options import Options
from kerasseq.preprocessing.padding import ladder_length
from kerasseq.serialization import register
from kerasseq.transduction.joiner import Joiner
from kerasseq.transduction.result import SearchResult
from kerasseq.transduction.transducer import transducer_lattice, transducer_loss
from kerasseq.transduction.transducer_beam import transducer_beam_search
from kerasseq.transduction.transducer_search import transducer_greedy_search


@register()
class Transducer(FrameSynchronousModel):
    """p(w | source) = sum over the alignments of units to frames of their probabilities.

    Graves, 2012, equations 12 to 18. At each frame the model writes any number of units, each of
    which depends on the frame and on all units before it. Then a blank leads to the next frame.

    Args:
        encoder: features to a `Memory`.
        decoder: the prediction network, an `RNNDecoder` without positions and logits. With
            attention to the encoder it is that of Prabhavalkar et al., 2017.
        joiner: joins both. Id 0, which no text produces, is the blank.
        preprocessor, language_model, card: see `SequenceModel`.
        max_symbols: the most units that greedy search writes at one frame.

    Call: `{"values": (N, S), "mask": (N, S) bool, "tokens": (N, U + 1)}`, with the start token and
    the labels as tokens, -> {"blank": (N, F, U + 1), "label": (N, F, U), "frames": (N,)}, the
    log-probabilities of the lattice.

    The loss is -log p(labels | source), labels (N, U) padded with 0, summed over the rows whose
    first weight is not 0 and divided by the sum of the weights: nats a unit.

    Raises:
        UserError: an argument is out of its range, the encoder does not read features directly, or
            the prediction network depends on positions or has another vocabulary than the joiner.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq import acoustics, encoders
    >>> preprocessor = kerasseq.SpeechPreprocessor.learn(["yes", "no"], rate=4000)
    >>> size = preprocessor.target_vocabulary_size
    >>> encoder = encoders.Chain([
    ...     acoustics.LogMel(4000, 8), encoders.FrameStacking(4), encoders.RNNEncoder(8)])
    >>> network = kerasseq.decoders.RNNDecoder(
    ...     kerasseq.TokenEmbedding(size, 8), 8, context="none", projection=False)
    >>> joiner = kerasseq.transduction.Joiner(size, units=8)
    >>> model = kerasseq.Transducer(encoder, network, joiner, preprocessor)
    >>> inputs, labels, weights = model.prepare([np.zeros(4000, "int16")], ["yes"])
    >>> model(inputs)["label"].shape[2] == labels.shape[1]
    True
    """

    parts = ("encoder", "decoder", "joiner", "preprocessor", "language_model")

    @checked
    def __init__(
        self,
        encoder: Encoder,
        decoder: RNNDecoder,
        joiner: Joiner,
        preprocessor: keras.layers.Layer | None = None,
        language_model: keras.layers.Layer | None = None,
        card: dict | None = None,
        max_symbols: Annotated[int, whole(1, 100)] = 5,
        **kwargs: Any,
    ):
        super().__init__(preprocessor, language_model, card, **kwargs)
        self.encoder, self.decoder, self.joiner = encoder, decoder, joiner
        self.max_symbols = max_symbols
        if decoder.max_steps is not None:
            raise UserError(
                "A transducer's rows are at different positions, so its prediction network needs "
                "an embedding with positions=None."
            )
        if decoder.vocabulary_size != joiner.vocabulary_size:
            raise UserError(
                f"The prediction network knows {decoder.vocabulary_size} units, but the joiner "
                f"{joiner.vocabulary_size}: make both for one vocabulary."
            )
        memory = (None, None, build_and_get_width(encoder, (None, None)))
        build(decoder, memory)
        build(joiner, memory, (None, None, decoder.feature_width))
        self._finish()

    @property
    def vocabulary_size(self) -> int:
        """V, the size of the joiner's logits."""
        return self.joiner.vocabulary_size

    def call(self, inputs: dict, training: bool = False) -> dict:
        (tokens,) = require_inputs(inputs, "tokens")
        memory = self.encode(inputs, training=training)
        predicted = self.decoder.features(tokens, memory, training=training)
        blank, label = transducer_lattice(self.joiner, memory.values, predicted, tokens[:, 1:])
        return {"blank": blank, "label": label, "frames": mask_to_lengths(memory.mask)}

    def evaluation_sums(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, ...]:
        labels = ops.sum(ops.cast(y != 0, "int32"), axis=1)
        losses = transducer_loss(y_pred["blank"], y_pred["label"], y_pred["frames"], labels)
        weights = label_weights(y, sample_weight)
        return ops.sum(ops.where(weights[:, 0] > 0, losses, 0.0)), ops.sum(weights)

    def make_decoder(self, options: Options, jit: bool) -> Callable:
        strategy, most, symbols = options.strategy, options.max_length, self.max_symbols
        model = self.language_model if options.lm_weight else None
        numbers = {"limit": most or 0, "weight": options.lm_weight, "bonus": options.length_bonus}
        numbers = {name: np.float32(number) for name, number in numbers.items()}
        tables = {} if model is None else model.tables()

        def search(features: dict, numbers: dict, tables: dict) -> SearchResult:
            memory = self.encode(features)
            networks = self.decoder, self.joiner, memory
            limit = None if most is None else ops.cast(numbers["limit"], "int32")
            if isinstance(strategy, Greedy):
                return transducer_greedy_search(*networks, room, symbols, limit=limit)[0]
            width, n_best = strategy.width, strategy.n_best
            scores = model, numbers["weight"], numbers["bonus"]
            return transducer_beam_search(
                *networks, width, n_best, room, *scores, lm_constants=tables, limit=limit
            )

        # Few lengths of buffers, whatever the limit, as each is compiled.
        room = None if most is None else ladder_length(most)
        key = strategy.form(), room, symbols, model is None

        def decode(features: dict, rows: int) -> list[list[Hypothesis]]:
            found = self.functions(key, search, features, numbers, tables, jit=jit)
            return read_hypotheses(self.preprocessor, found, rows)

        return decode

    def get_config(self) -> dict:
        return {**super().get_config(), "max_symbols": self.max_symbols}
