"""Connectionist temporal classification."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.checks import Encoder, VocabularySize, checked
from kerasseq.errors import UserError
from kerasseq.generation import Greedy
from kerasseq.initializers import build, build_and_get_width
from kerasseq.losses import label_weights
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.models.batching import read_hypotheses
from kerasseq.models.frame_synchronous import FrameSynchronousModel
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.options import Options
from kerasseq.serialization import register
from kerasseq.transduction.ctc import (
    ForcedAlignment,
    align_labels,
    ctc_consistency,
    ctc_greedy_search,
    ctc_loss,
    least_frames,
)
from kerasseq.transduction.ctc_prefix_beam import ctc_prefix_beam_search


@register()
class CTC(FrameSynchronousModel):
    """p(w | source) = sum of the probabilities of all paths of units and blanks that collapse to w.

    Graves et al., 2006, equations 2 and 3: repeated units of a path become one, then blanks go. The
    unit of each frame depends on the source alone.

    Args:
        encoder: features to a `Memory`.
        vocabulary_size: V. Id 0, which no text produces, is the blank.
        preprocessor, language_model, card: see `SequenceModel`.

    Call: `{"values": (N, S), "mask": (N, S) bool}` -> `Memory` with logits (N, F, V) of F frames.

    The loss is -log p(labels | source), labels (N, U) padded with 0, summed over the rows whose
    first weight is not 0 and divided by the sum of the weights: nats a unit. Rows with more units
        than
    frames have no path and do not count. With `r_drop` a, the source passes twice, with two draws
    of dropout and SpecAugment. The loss is then the mean of both plus a times their
    `ctc_consistency` (Yao et al., 2024).

    Raises:
        UserError: an argument is out of its range, or the encoder does not read features directly.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> from kerasseq import acoustics, encoders
    >>> preprocessor = kerasseq.SpeechPreprocessor.learn(["yes", "no"], rate=4000)
    >>> size = preprocessor.target_vocabulary_size
    >>> encoder = encoders.Chain([
    ...     acoustics.LogMel(4000, 8), encoders.FrameStacking(4), encoders.RNNEncoder(8)])
    >>> model = kerasseq.CTC(encoder, size, preprocessor)
    >>> recording = np.random.default_rng(0).integers(-999, 999, 4000).astype("int16")
    >>> logits, mask = model(preprocessor.features([recording]))
    >>> logits.shape[2] == size
    True
    >>> isinstance(model.generate(recording, beam=1), str)
    True
    """

    loss_options = ("r_drop",)
    parts = ("encoder", "preprocessor", "language_model")
    without = (*FrameSynchronousModel.without, "max_length")

    @checked
    def __init__(
        self,
        encoder: Encoder,
        vocabulary_size: VocabularySize,
        preprocessor: keras.layers.Layer | None = None,
        language_model: keras.layers.Layer | None = None,
        card: dict | None = None,
        **kwargs: Any,
    ):
        super().__init__(preprocessor, language_model, card, **kwargs)
        self.encoder, self.vocabulary_size = encoder, vocabulary_size
        self.head = keras.layers.Dense(vocabulary_size, name="head")
        build(self.head, (None, None, build_and_get_width(encoder, (None, None))))
        self._finish()

    def call(self, inputs: dict, training: bool = False) -> Memory:
        memory = self.encode(inputs, training=training)
        return Memory(self.head(memory.values), memory.mask)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        again = self(x, training=True) if training and self.r_drop else None
        return ctc_mean(y_pred, y, sample_weight, again, self.r_drop)

    def evaluation_sums(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, ...]:
        return ctc_sums(y_pred, y, sample_weight)

    def make_decoder(self, options: Options, jit: bool) -> Callable:
        if isinstance(options.strategy, Greedy):
            return functools.partial(self._greedy, jit=jit)
        return functools.partial(self._beam, options=options, jit=jit)

    def log_probabilities(self, features: dict, jit: bool = False) -> tuple[Any, Any]:
        """Computes log-probabilities of the units of each frame.

        Returns:
            (N, F, V), and the mask of the frames, (N, F), in NumPy.
        """

        def logs(features):
            logits, mask = self(features)
            return Memory(ops.log_softmax(ops.cast(logits, "float32"), axis=-1), mask)

        found = self.functions("logs", logs, features, jit=jit)
        return tuple(map(ops.convert_to_numpy, found))

    def _greedy(self, features: dict, rows: int, jit: bool) -> list[list[Hypothesis]]:
        found = self.functions("greedy", lambda x: ctc_greedy_search(*self(x)), features, jit=jit)
        return read_hypotheses(self.preprocessor, found, rows)

    def _beam(
        self, features: dict, rows: int, options: Options, jit: bool
    ) -> list[list[Hypothesis]]:
        logs, mask = self.log_probabilities(features, jit)
        return [self._search_prefixes(logs[row][mask[row]], options) for row in range(rows)]

    def _search_prefixes(self, logs: np.ndarray, options: Options) -> list[Hypothesis]:
        best = ctc_prefix_beam_search(
            logs,
            options.strategy.width,
            language_model=self.language_model,
            lm_weight=options.lm_weight,
            length_bonus=options.length_bonus,
        )[: options.strategy.n_best]
        texts = self.preprocessor.detokenize([tokens for tokens, _ in best])
        return [
            Hypothesis(text, float(score), tuple(map(int, tokens)), *align_tokens(logs, tokens))
            for text, (tokens, score) in zip(texts, best, strict=True)
        ]

    def alignment(self, source: Any, hypothesis: Hypothesis) -> Any:
        """The probability of each token at its frames, (T, F)."""
        logs, mask = self.log_probabilities(self.require_preprocessor().features([source]))
        logs, tokens = logs[0][mask[0]], np.asarray(self._check_tokens(hypothesis), "int32")
        if not len(tokens):
            return np.zeros((0, len(logs)))
        found = _align_row(logs, tokens)
        if -1 in found.first[0]:
            raise UserError(
                f"The {len(tokens)} tokens of this hypothesis have no room in the {len(logs)} "
                "frames of this source: give one that the model wrote of it."
            )
        frames = np.arange(len(logs))
        here = (frames >= found.first[0][:, None]) & (frames <= found.last[0][:, None])
        return np.where(here, np.exp(logs[:, tokens].T), 0.0)

    def get_config(self) -> dict:
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size}


def align_tokens(logs: np.ndarray, tokens: Sequence[int]) -> tuple[tuple, tuple]:
    """Returns the frame of each token and its log-probability, on the most probable path over (F,
    V).
    """
    if not len(tokens):
        return (), ()
    found = _align_row(logs, np.asarray(tokens))
    return tuple(found.first[0].tolist()), tuple(found.log_probs[0].tolist())


def _align_row(logs: np.ndarray, tokens: np.ndarray) -> ForcedAlignment:
    """Aligns one row, as a batch of one."""
    return align_labels(logs[None], np.ones((1, len(logs)), bool), tokens[None])


def ctc_sums(logits: Memory, labels: Any, weights: Any) -> tuple[Any, Any]:
    """Returns the sum of the losses of the rows that count, and the sum of their weights."""
    weights = _drop_impossible(logits, labels, weights)
    losses = ctc_loss(logits.values, logits.mask, labels)
    counts = ops.where(weights[:, 0] > 0, losses, 0.0)
    return ops.sum(counts), ops.sum(weights)


def _drop_impossible(logits: Memory, labels: Any, weights: Any) -> Any:
    """Returns the weights, 0 in rows without a path."""
    possible = least_frames(labels) <= mask_to_lengths(logits.mask)
    return label_weights(labels, weights) * ops.cast(possible, "float32")[:, None]


def ctc_mean(
    logits: Memory, labels: Any, weights: Any, again: Memory | None = None, alpha: float = 0.0
) -> Any:
    """Computes nats a unit; with a second pass the mean of both, plus alpha times their
    consistency.
    """
    total, weight = ctc_sums(logits, labels, weights)
    if again is not None:
        apart = ctc_consistency(logits.values, again.values, logits.mask)
        apart = ops.where(_drop_impossible(logits, labels, weights)[:, 0] > 0, apart, 0.0)
        total = 0.5 * (total + ctc_sums(again, labels, weights)[0]) + alpha * ops.sum(apart)
    return total / ops.maximum(weight, 1e-6)
