"""The encoder-decoder model."""

import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasseq.decoders import Decoder
from kerasseq.errors import UserError
from kerasseq.generation import attend
from kerasseq.initializers import build
from kerasseq.losses import cross_entropy, evaluation_sums, r_drop
from kerasseq.masking import Memory
from kerasseq.models.generate import Generator, Hypothesis, Options
from kerasseq.precision import computing_in


@keras.saving.register_keras_serializable("kerasseq")
class Seq2Seq(keras.Model):
    """p(w_1 .. w_T | source) = product over t of p(w_t | w_1 .. w_{t-1}, encoder(source)).

    Cho et al., 2014, equation 4; Sutskever et al., 2014, equation 1.

    Args:
        frontend: the preprocessor's features to vectors (N, S, D); for text `TokenEmbedding`.
        encoder: vectors and mask to a `Memory`.
        decoder: a `Decoder`. If its embedding is the frontend itself, source and target share
            one matrix, here and when the model is loaded.
        preprocessor: raw inputs to features, and token ids to text; saved with the model.
        card: what the model was made from and how well it does, as JSON can hold it; saved too.

    Call: `{"values": (N, S), "mask": (N, S) bool, "tokens": (N, T)}` -> logits (N, T, V), under
    teacher forcing: tokens are the target shifted right, with the start token first.

    The loss is the cross-entropy of the labels (N, T), weighted by the sample weights (N, T),
    which are 0 on padding, and divided by the sum of these.
    """

    def __init__(
        self,
        frontend: keras.layers.Layer,
        encoder: keras.layers.Layer,
        decoder: Decoder,
        preprocessor: keras.layers.Layer | None = None,
        card: dict | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.frontend, self.encoder, self.decoder = frontend, encoder, decoder
        self.preprocessor = preprocessor
        # In JSON, since Keras wraps a dict that is an attribute.
        self._card = json.dumps(card or {})
        self.label_smoothing = self.r_drop = 0.0
        self._generators: dict = {}
        build(frontend, (None, None))
        build(encoder, (None, None, frontend.width))
        build(decoder, (None, None, encoder.width))
        self.built = True

    @property
    def card(self) -> dict:
        """What the model was made from and how well it does."""
        return json.loads(self._card)

    @card.setter
    def card(self, card: dict) -> None:
        self._card = json.dumps(card)

    def compile(self, *args: Any, label_smoothing: float = 0.0, r_drop: float = 0.0, **kwargs: Any):
        """As `keras.Model.compile`, and two options of the loss.

        Args:
            label_smoothing: weight of the uniform distribution in the target's
                (Szegedy et al., 2016, section 7).
            r_drop: weight of the divergence between two passes with different dropout
                (Wu et al., 2021, equation 4).
        """
        self.label_smoothing, self.r_drop = label_smoothing, r_drop
        super().compile(*args, **kwargs)

    def encode(self, features: dict, training: bool = False) -> Memory:
        """Features ("values", "mask") to the memory that the decoder attends to."""
        values = self.frontend(features["values"], training=training)
        return self.encoder(values, features["mask"], training=training)

    def call(self, inputs: dict, training: bool = False) -> Any:
        memory = self.encode(inputs, training=training)
        return self.decoder(inputs["tokens"], memory, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if sample_weight is None:
            sample_weight = ops.ones_like(y, dtype="float32")
        smoothing = self.label_smoothing if training else 0.0
        if training and self.r_drop:
            again = self(x, training=True)
            return r_drop(y_pred, again, y, sample_weight, smoothing, self.r_drop)
        return cross_entropy(y_pred, y, sample_weight, smoothing)

    def evaluation_sums(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, ...]:
        """What validation adds up; see `losses.evaluation_sums`."""
        return evaluation_sums(y_pred, y, sample_weight)

    def hypotheses(
        self,
        sources: Sequence[Any],
        options: Options | None = None,
        *,
        prefixes: Sequence[str] | None = None,
        with_models: Sequence["Seq2Seq"] = (),
        batch_size: int = 32,
        jit: bool | None = None,
        first_row: int = 0,
    ) -> list[list[Hypothesis]]:
        """The hypotheses of each raw source, best first.

        Args:
            sources: what the preprocessor reads, e.g. texts.
            options: strategy and limits; beam search of width 5 by default.
            prefixes: the beginning of each text, as far as it is prescribed.
            with_models: further models of an ensemble, whose probabilities are averaged.
            batch_size: sources that are decoded together; of no effect on the result.
            jit: compile by XLA on TensorFlow; by default where there is enough to do.
            first_row: the index of the first source; where texts are sampled in several calls,
                the number of those before.

        Raises:
            UserError: the model has no preprocessor or vocabulary, or an ensemble's members have
                different target vocabularies.
        """
        if isinstance(sources, str):
            raise UserError("Give a list of sources, not one text.")
        key = tuple(id(model) for model in with_models)
        if key not in self._generators:
            self._generators[key] = Generator([self, *with_models])
        generator = self._generators[key]
        options = options or Options()
        return list(generator(sources, options, prefixes, batch_size, jit, first_row))

    def generate(self, sources: Sequence[Any], options: Options | None = None, **more: Any) -> list:
        """The best text for each raw source; arguments as for `hypotheses`."""
        found = self.hypotheses(sources, options, **more)
        return [hypotheses[0].text if hypotheses else "" for hypotheses in found]

    def attention(self, source: Any, text: str | None = None) -> tuple[list, list, Any]:
        """Where the decoder looks while it writes.

        Args:
            source: one raw source.
            text: a target; by default the model's own best one.

        Returns:
            The source's pieces (S), the target's (T), and the weights (T, S), NumPy.
        """
        if text is None:
            (best, *_), *_ = self.hypotheses([source])
            ids = np.asarray([best.tokens], "int32")
        else:
            ids = self.preprocessor.targets([text])[1]
            ids = ids[:, : int((ids[0] != 0).sum())]
        features = self.preprocessor.features([source])
        memory = self.encode(tree.map_structure(ops.convert_to_tensor, features))
        steps = int(features["mask"].sum())
        weights = ops.convert_to_numpy(attend(self.decoder, memory, ids))[0, :, :steps]
        source_pieces = self.preprocessor.pieces(features["values"][0, :steps].tolist(), "source")
        return source_pieces, self.preprocessor.pieces(ids[0].tolist(), "target"), weights

    def get_compile_config(self) -> dict | None:
        config = super().get_compile_config()
        if config:
            config |= {"label_smoothing": self.label_smoothing, "r_drop": self.r_drop}
        return config

    def compile_from_config(self, config: dict) -> None:
        if config:
            self.compile(**keras.saving.deserialize_keras_object(config))
            self.optimizer.build(self.trainable_variables)

    def get_config(self) -> dict:
        parts = ("frontend", "encoder", "decoder", "preprocessor")
        return {
            **super().get_config(),
            **{key: keras.saving.serialize_keras_object(getattr(self, key)) for key in parts},
            "share_embeddings": self.decoder.embedding is self.frontend,
            "card": self.card,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Seq2Seq":
        config = dict(config)
        shared = config.pop("share_embeddings")
        # Layers within layers take the policy that is set while they are made, not the file's.
        with computing_in(keras.dtype_policies.get(config["dtype"])):
            for key in ("frontend", "encoder", "decoder", "preprocessor"):
                if key == "decoder" and shared:
                    config[key]["config"]["embedding"] = config["frontend"]
                config[key] = keras.saving.deserialize_keras_object(config[key])
            return cls(**config)
