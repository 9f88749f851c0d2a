"""The encoder-decoder model."""

from typing import Any

import keras
from keras import ops

from kerasseq.decoders import Decoder
from kerasseq.initializers import build
from kerasseq.losses import cross_entropy, evaluation_sums, r_drop
from kerasseq.masking import Memory


@keras.saving.register_keras_serializable("kerasseq")
class Seq2Seq(keras.Model):
    """p(w_1 .. w_T | source) = product over t of p(w_t | w_1 .. w_{t-1}, encoder(source)).

    Cho et al., 2014, equation 4; Sutskever et al., 2014, equation 1.

    Args:
        frontend: the preprocessor's features to vectors (N, S, D); for text `TokenEmbedding`.
        encoder: vectors and mask to a `Memory`.
        decoder: a `Decoder`.
        preprocessor: raw inputs to features, and token ids to text; saved with the model.
        share_embeddings: the decoder uses the frontend as its embedding, so that source and
            target have one matrix; both must then have one vocabulary.

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
        share_embeddings: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.frontend, self.encoder, self.decoder = frontend, encoder, decoder
        self.preprocessor = preprocessor
        self.share_embeddings = share_embeddings
        self.label_smoothing = self.r_drop = 0.0
        if share_embeddings:
            if frontend.get_config() | {"name": ""} != decoder.embedding.get_config() | {"name": ""}:
                raise ValueError(
                    "share_embeddings needs a frontend and a decoder's embedding of one "
                    "configuration."
                )
            decoder.embedding = frontend
        build(frontend, (None, None))
        build(encoder, (None, None, frontend.width))
        build(decoder, (None, None, encoder.width))
        self.built = True

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

    def get_compile_config(self) -> dict:
        config = super().get_compile_config() or {}
        return {**config, "label_smoothing": self.label_smoothing, "r_drop": self.r_drop}

    def compile_from_config(self, config: dict) -> None:
        config = dict(config)
        smoothing, divergence = config.pop("label_smoothing"), config.pop("r_drop")
        super().compile_from_config(config)
        self.label_smoothing, self.r_drop = smoothing, divergence

    def get_config(self) -> dict:
        parts = ("frontend", "encoder", "decoder", "preprocessor")
        return {
            **super().get_config(),
            **{key: keras.saving.serialize_keras_object(getattr(self, key)) for key in parts},
            "share_embeddings": self.share_embeddings,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Seq2Seq":
        for key in ("frontend", "encoder", "decoder", "preprocessor"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)
