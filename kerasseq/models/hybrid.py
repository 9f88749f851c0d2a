"""Hybrid CTC/attention: both on one encoder."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasseq.checks import Encoder, Share, checked
from kerasseq.decoders import Decoder, Stepwise
from kerasseq.initializers import build
from kerasseq.losses import cross_entropy, label_weights, r_drop
from kerasseq.masking import Memory
from kerasseq.models.ctc import align_tokens, ctc_mean, ctc_sums
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.inputs import require_inputs
from kerasseq.models.options import Options
from kerasseq.models.seq2seq import Seq2Seq
from kerasseq.serialization import register
from kerasseq.special_ids import END
from kerasseq.transduction.ctc_prefix import CTCPrefix


@register("JointSeq2Seq")
class HybridSeq2Seq(Seq2Seq):
    """An encoder-decoder whose encoder learns CTC too, and which both decode.

        loss = (1 - c) L_attention + c L_CTC
        score(w) = (1 - c') log p_attention(w) + c' log p_CTC(w)

    Watanabe et al., 2017 (Hybrid CTC/attention architecture), equations 22 and 33. c' is
    `Options.ctc_weight`. `r_drop` is that of `losses.r_drop` in the first term and that of `CTC` in
    the second. The class is also `JointSeq2Seq`, its earlier name.

    Args:
        frontend, encoder, decoder, preprocessor, language_model, card: as for `Seq2Seq`.
        ctc_weight: c.

    Call: as `Seq2Seq`, -> {"logits": (N, T, V), "ctc": `Memory` with logits (N, F, V)}.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq import acoustics, encoders
    >>> preprocessor = kerasseq.SpeechPreprocessor.learn(["yes", "no"], rate=4000, end=True)
    >>> size = preprocessor.target_vocabulary_size
    >>> encoder = encoders.Chain([
    ...     acoustics.LogMel(4000, 8), encoders.FrameStacking(4), encoders.RNNEncoder(8)])
    >>> decoder = kerasseq.decoders.RNNDecoder(
    ...     kerasseq.TokenEmbedding(size, 8), 8, attention="location")
    >>> model = kerasseq.HybridSeq2Seq(None, encoder, decoder, preprocessor, ctc_weight=0.3)
    >>> inputs, labels, weights = model.prepare([np.zeros(4000, "int16")], ["yes"])
    >>> outputs = model(inputs)
    >>> tuple(outputs["logits"].shape) == (*labels.shape, size)
    True
    >>> outputs["ctc"].values.shape[2] == size
    True
    """

    loss_options = ("label_smoothing", "r_drop")

    @checked
    def __init__(
        self,
        frontend: keras.layers.Layer | None,
        encoder: Encoder,
        decoder: Decoder,
        preprocessor: keras.layers.Layer | None = None,
        language_model: keras.layers.Layer | None = None,
        card: dict | None = None,
        ctc_weight: Share = 0.3,
        **kwargs: Any,
    ):
        super().__init__(frontend, encoder, decoder, preprocessor, language_model, card, **kwargs)
        self.ctc_weight = ctc_weight
        self.head = keras.layers.Dense(decoder.vocabulary_size, name="head")
        self.head.trainable = ctc_weight > 0
        build(self.head, (None, None, encoder.width))

    def _ctc(self, memory: Memory) -> Memory:
        return Memory(self.head(memory.values), memory.mask)

    def _ctc_logs(self, memory: Memory) -> Memory:
        logits = ops.cast(self._ctc(memory).values, "float32")
        return Memory(ops.log_softmax(logits, axis=-1), memory.mask)

    def call(self, inputs: dict, training: bool = False) -> Any:
        (tokens,) = require_inputs(inputs, "tokens")
        memory = self.encode(inputs, training=training)
        logits = self.decoder(tokens, memory, training=training)
        return {"logits": logits, "ctc": self._ctc(memory)}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        smoothing = self.label_smoothing if training else 0.0
        sample_weight = label_weights(y, sample_weight)
        again = self(x, training=True) if training and self.r_drop else None
        if again is None:
            attention = cross_entropy(y_pred["logits"], y, sample_weight, smoothing)
        else:
            passes = y_pred["logits"], again["logits"]
            attention = r_drop(*passes, y, sample_weight, smoothing, self.r_drop)
        if not self.ctc_weight:
            return attention
        second = None if again is None else again["ctc"]
        ctc = ctc_mean(y_pred["ctc"], _drop_end(y), sample_weight, second, self.r_drop)
        return (1.0 - self.ctc_weight) * attention + self.ctc_weight * ctc

    def evaluation_sums(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, ...]:
        if self.ctc_weight == 1:  # the decoder learns nothing
            return ctc_sums(y_pred["ctc"], _drop_end(y), label_weights(y, sample_weight))
        return super().evaluation_sums(x, y, y_pred["logits"], sample_weight)

    def scorers(self, options: Options) -> dict[str, float]:
        weights = {"decoder": 1.0 - options.ctc_weight, "ctc": options.ctc_weight}
        scorers = {name: weight for name, weight in weights.items() if weight}
        others = super().scorers(options)
        return {**scorers, **{name: others[name] for name in others if name != "decoder"}}

    def scorer(self, name: str) -> Stepwise:
        return CTCPrefix(self.decoder.vocabulary_size) if name == "ctc" else super().scorer(name)

    def encode_for_scorer(self, name: str, memory: Memory) -> Memory:
        return self._ctc_logs(memory) if name == "ctc" else memory

    def find_idle_options(self, options: Options) -> dict[str, str]:
        reasons = super().find_idle_options(options)
        del reasons["ctc_weight"]
        if options.ctc_weight == 1:
            reasons["precision"] = "is of the decoder, which {ctc_weight} 1 leaves out"
        return reasons

    def token_alignment(
        self, source: Any, hypothesis: Hypothesis
    ) -> tuple[Sequence[int], Sequence[float]]:
        ctc = self._ctc_logs(self._encode_source(source))
        logs, mask = map(ops.convert_to_numpy, ctc)
        frames, log_probs = align_tokens(logs[0][mask[0]], self._check_tokens(hypothesis))
        # The decoder may write more tokens than a path of CTC has room for.
        return super().token_alignment(source, hypothesis) if -1 in frames else (frames, log_probs)

    def get_config(self) -> dict:
        return {**super().get_config(), "ctc_weight": self.ctc_weight}


JointSeq2Seq = HybridSeq2Seq
"""The earlier name of the class, which also stands in model files."""


def _drop_end(labels: Any) -> Any:
    """Replaces the end symbol, which CTC does not have, by padding."""
    return ops.where(ops.equal(labels, END), 0, labels)
