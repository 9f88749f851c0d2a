"""The encoder-decoder model."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasseq.checks import Count, Encoder, abbreviate, check_option, checked
from kerasseq.decoders import Decoder, Stepwise
from kerasseq.errors import OptionError, UserError
from kerasseq.generation import ShallowFusion, attend
from kerasseq.generation.selection import allowed_tokens
from kerasseq.initializers import build, build_and_get_width
from kerasseq.losses import (
    cross_entropy,
    doubly_stochastic,
    evaluation_sums,
    label_weights,
    r_drop,
)
from kerasseq.masking import Memory, repeat_memory
from kerasseq.models.base import LANGUAGE_MODEL, SequenceModel
from kerasseq.models.batching import check_call
from kerasseq.models.functions import Functions
from kerasseq.models.generate import Generator
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.inputs import as_list, require_inputs
from kerasseq.models.options import Options
from kerasseq.precision import dtype_policy_scope
from kerasseq.serialization import deserialize_arguments, register
from kerasseq.special_ids import BEGIN


@register()
class Seq2Seq(SequenceModel):
    """p(w_1 .. w_T | source) = product over t of p(w_t | w_1 .. w_{t-1}, encoder(source)).

    Cho et al., 2014, equation 4; Sutskever et al., 2014, equation 1.

    Args:
        frontend: the preprocessor's features to vectors (N, S, D), for text `TokenEmbedding`;
            None where the encoder reads the features themselves, such as sound and pictures.
        encoder: vectors and mask to a `Memory`.
        decoder: a `Decoder`. If its embedding is the frontend itself, source and target share one
            matrix, here and in the loaded model.
        preprocessor, card: see `SequenceModel`.
        language_model: an `NGram` of the target's units, for `Options.lm_weight`.

    Call: `{"values": (N, S), "mask": (N, S) bool, "tokens": (N, T)}` -> logits (N, T, V), under
    teacher forcing: tokens are the target shifted right, with the start token first. With several
    targets of each source, tokens (N, K, T), the logits are (N * K, T, V).

    The loss is the cross-entropy of the labels (N, T), weighted by the sample weights (N, T), which
    are 0 on padding, and divided by the sum of these.

    Raises:
        UserError: an argument is of the wrong kind, or widths or vocabularies do not fit.

    Example:

    >>> import kerasseq
    >>> from kerasseq import decoders, encoders
    >>> pairs = [("one two", "eins zwei"), ("two three", "zwei drei")]
    >>> preprocessor = kerasseq.TextPreprocessor.learn(pairs, kind="char", vocabulary_size=40)
    >>> embedding = kerasseq.TokenEmbedding(preprocessor.source_vocabulary_size, 8)
    >>> model = kerasseq.Seq2Seq(
    ...     embedding, encoders.RNNEncoder(8),
    ...     decoders.RNNDecoder(embedding, 8, attention="additive"), preprocessor)
    >>> model.compile(optimizer="adam")
    >>> history = model.fit(pairs, verbose=0)
    >>> texts = model.generate(["one", "two"], beam=1, max_length=8)
    >>> [type(text).__name__ for text in texts]
    ['str', 'str']
    """

    parts = ("frontend", "encoder", "decoder", "preprocessor", "language_model")

    @checked
    def __init__(
        self,
        frontend: keras.layers.Layer | None,
        encoder: Encoder,
        decoder: Decoder,
        preprocessor: keras.layers.Layer | None = None,
        language_model: keras.layers.Layer | None = None,
        card: dict | None = None,
        **kwargs: Any,
    ):
        super().__init__(preprocessor, language_model, card, **kwargs)
        self.frontend, self.encoder, self.decoder = frontend, encoder, decoder
        self._ensemble: Functions | None = None
        shape: tuple = (None, None)
        if frontend is not None:
            shape = (None, None, build_and_get_width(frontend, shape))
        build(decoder, (None, None, build_and_get_width(encoder, shape)))
        self._finish()

    @property
    def vocabulary_size(self) -> int:
        """V, the size of the decoder's logits."""
        return self.decoder.vocabulary_size

    @property
    def loss_options(self) -> tuple[str, ...]:
        weighing = getattr(self.decoder, "attention", None) is not None
        return ("label_smoothing", "r_drop", "on_policy", *weighing * ["doubly_stochastic"])

    @property
    def reduction(self) -> int:
        """Steps of the features to a step of the memory."""
        return 1 if self.frontend is not None else self.factor

    def scorers(self, options: Options) -> dict[str, float]:
        """Returns the names of the scorers of hypotheses with their weights, without those of
        weight 0.
        """
        if not options.lm_weight:
            return {"decoder": 1.0}
        return {"decoder": 1.0, LANGUAGE_MODEL: options.lm_weight}

    def scorer(self, name: str) -> Stepwise:
        """Returns one scorer by its name."""
        return getattr(self, name)

    def encode_for_scorer(self, name: str, memory: Memory) -> Memory:
        """Returns the memory of one scorer, made of the encoder's."""
        return memory

    def tables(self, scorers: Iterable[str]) -> dict[str, dict]:
        """Returns the tables of each scorer, which are neither weights nor of a source, by its
        name.
        """
        return {LANGUAGE_MODEL: self.language_model.tables()} if LANGUAGE_MODEL in scorers else {}

    def fuse_scorers(
        self, scorers: Sequence[str], weights: Any, constants: dict, memory: Memory
    ) -> tuple[Stepwise, Any, Any]:
        """Returns the scorer that a search asks, with its memory and its constants.

        Args:
            scorers: their names.
            weights: (M,), a tensor.
            constants: of each scorer, by its name.
            memory: the encoder's.
        """
        if len(scorers) == 1:
            (name,) = scorers
            return self.scorer(name), self.encode_for_scorer(name, memory), constants[name]
        fusion = ShallowFusion([self.scorer(name) for name in scorers], [1.0] * len(scorers))
        memories = [self.encode_for_scorer(name, memory) for name in scorers]
        return fusion.with_weights(weights), memories, [constants[name] for name in scorers]

    def find_idle_options(self, options: Options) -> dict[str, str]:
        reasons = super().find_idle_options(options)
        reasons["length_bonus"] = "is for CTC and transducers: leave it out"
        reasons["ctc_weight"] = "is for hybrid models, of CTC and attention: leave it out"
        scorers = self.scorers(options)
        if len(scorers) > 1:
            reasons["coverage_penalty"] = (
                f"needs a decoder that scores alone, and here {' and '.join(scorers)} score "
                "together: leave it out"
            )
        elif not self.scorer(*scorers).attends:
            reasons["coverage_penalty"] = (
                "needs a decoder with attention, and this one has none: leave it out"
            )
        return reasons

    def call(self, inputs: dict, training: bool = False) -> Any:
        (tokens,) = require_inputs(inputs, "tokens")
        memory = self.encode(inputs, training=training)
        if len(tokens.shape) == 3:
            _, targets, steps = ops.shape(tokens)
            memory, tokens = repeat_memory(memory, targets), ops.reshape(tokens, (-1, steps))
        if training and self.doubly_stochastic:
            logits, weights = self.decoder.call_with_attention(tokens, memory, training=True)
            return {"logits": logits, "attention": weights, "mask": memory.mask}
        return self.decoder(tokens, memory, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        sample_weight = label_weights(y, sample_weight)
        if self.on_policy:
            # Tokens that the search never writes are not in the distribution of its samples.
            written = allowed_tokens(y_pred.shape[-1])
            y_pred = ops.where(written, ops.cast(y_pred, "float32"), -1e9)
            return cross_entropy(y_pred, y, sample_weight)
        smoothing = self.label_smoothing if training else 0.0
        if training and self.doubly_stochastic:
            penalty = doubly_stochastic(y_pred["attention"], y_pred["mask"], sample_weight)
            loss = cross_entropy(y_pred["logits"], y, sample_weight, smoothing)
            return loss + self.doubly_stochastic * penalty
        if training and self.r_drop:
            again = self(x, training=True)
            return r_drop(y_pred, again, y, sample_weight, smoothing, self.r_drop)
        return cross_entropy(y_pred, y, sample_weight, smoothing)

    def evaluation_sums(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, ...]:
        """Returns the sums of a validation batch; see `losses.evaluation_sums`."""
        return evaluation_sums(y_pred, y, label_weights(y, sample_weight))

    def _decode(
        self,
        sources: Sequence[Any],
        options: Options,
        *,
        prefixes: Sequence[str] | None = None,
        with_models: Sequence["Seq2Seq"] = (),
        batch_size: int = 32,
        jit: bool | None = None,
        first_row: int = 0,
    ) -> list[list[Hypothesis]]:
        check_call(batch_size, jit)
        check_option("first_row", first_row, Count)
        prefixes = None if prefixes is None else as_list(prefixes, "prefixes")
        with_models = as_list(() if with_models is None else with_models, "models")
        models = [self, *with_models]
        for model in with_models:
            if not isinstance(model, Seq2Seq):
                raise UserError(
                    "An ensemble's models must all have a decoder, as Seq2Seq and HybridSeq2Seq "
                    f"have, and one is {abbreviate(model)}."
                )
        if len({id(model) for model in models}) < len(models):
            raise UserError("An ensemble's models must be different ones: leave out what is twice.")
        if with_models and "coverage_penalty" in options.changed_names():
            raise OptionError("coverage_penalty", "is for one model, not for an ensemble")
        for model in with_models:
            model.resolve_options(options)
        functions = self._get_ensemble_functions(with_models) if with_models else self.functions
        generator = Generator(models, functions)
        return list(generator(sources, options, prefixes, batch_size, jit, first_row))

    def _get_ensemble_functions(self, others: Sequence["Seq2Seq"]) -> Functions:
        """Returns the compiled functions of an ensemble, cached while its second model is in no
        other.
        """
        models = [self, *others]
        layers = [layer for model in models for layer in model.get_computing_parts()]
        kept = others[0]._ensemble
        if kept is None or not kept.belong_to(layers):
            kept = Functions([variable for model in models for variable in model.variables], layers)
            others[0]._ensemble = kept
        return kept

    def attention(self, source: Any, text: str | None = None) -> tuple[list, list, Any]:
        """Computes where the decoder looks while it writes.

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
            ids = self.require_preprocessor().targets([text])[1]
            ids = ids[:, : int((ids[0] != 0).sum())]
        tokens = ids[0].tolist()
        _, weights = self._attend_to(source, tokens)
        read = self.preprocessor.features([source])["values"][0, : weights.shape[1]].tolist()
        pieces = self.preprocessor.pieces
        return pieces(read, "source"), pieces(tokens, "target"), weights

    def token_alignment(
        self, source: Any, hypothesis: Hypothesis
    ) -> tuple[Sequence[int], Sequence[float]]:
        """The step with the greatest weight of each token, but never before that of the token
        before.
        """
        tokens = self._check_tokens(hypothesis)
        if not tokens or len(hypothesis.frames) == len(tokens):
            return hypothesis.frames, hypothesis.log_probs
        memory, weights = self._attend_to(source, tokens)
        before = np.asarray([[BEGIN, *tokens[:-1]]], "int32")
        logits = ops.cast(self.decoder(ops.convert_to_tensor(before), memory), "float32")
        logs = ops.convert_to_numpy(ops.log_softmax(logits, axis=-1))[0]
        frames = np.maximum.accumulate(weights.argmax(axis=1))
        return frames.tolist(), logs[np.arange(len(tokens)), tokens].tolist()

    def alignment(self, source: Any, hypothesis: Hypothesis) -> Any:
        """The weights of the decoder's attention, (T, F)."""
        tokens = self._check_tokens(hypothesis)
        if not tokens:
            return np.zeros((0, int(ops.convert_to_numpy(self._encode_source(source).mask).sum())))
        return self._attend_to(source, tokens)[1]

    def _encode_source(self, source: Any) -> Memory:
        """Computes the memory of one raw source."""
        features = self.require_preprocessor().features([source])
        return self.encode(tree.map_structure(ops.convert_to_tensor, features))

    def _attend_to(self, source: Any, tokens: list[int]) -> tuple[Memory, Any]:
        """Computes the memory of a source, and the weights (T, F) of each token."""
        memory = self._encode_source(source)
        weights = attend(self.decoder, memory, np.asarray([tokens], "int32"))
        steps = int(ops.convert_to_numpy(memory.mask).sum())
        return memory, ops.convert_to_numpy(weights)[0][:, :steps]

    def get_config(self) -> dict:
        shared = self.frontend is not None and self.decoder.embedding is self.frontend
        return {**super().get_config(), "share_embeddings": shared}

    @classmethod
    def from_config(cls, config: dict) -> "Seq2Seq":
        config = dict(config)
        if config.pop("share_embeddings"):
            with dtype_policy_scope(keras.dtype_policies.get(config["dtype"])):
                config = deserialize_arguments(config, "frontend")
            shared = {**config["decoder"]["config"], "embedding": config["frontend"]}
            config["decoder"] = {**config["decoder"], "config": shared}
        return super().from_config(config)
