"""What the models have in common that align units to frames."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from kerasseq.errors import UserError
from kerasseq.generation import Beam, Greedy
from kerasseq.models.base import SequenceModel, listed
from kerasseq.models.batching import by_length
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.options import Options


class Recogniser(SequenceModel):
    """Base of CTC and transducers: nats a unit for a loss, and greedy or beam search.

    A subclass has `evaluation_sums`, of the losses and of the weights, and `decoding`.
    """

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        total, weight = self.evaluation_sums(x, y, y_pred, sample_weight)
        return total / ops.maximum(weight, 1e-6)

    def evaluation_sums(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, ...]:
        """The sum of the losses and that of the weights."""
        raise NotImplementedError

    def decoding(self, options: Options, language_model: Any, jit: bool) -> Callable:
        """A function from features, of which the first `rows` rows count, to their hypotheses."""
        raise NotImplementedError

    def hypotheses(
        self,
        sources: Sequence[Any],
        options: Options | None = None,
        *,
        batch_size: int = 16,
        jit: bool | None = None,
    ) -> list[list[Hypothesis]]:
        """The hypotheses of each raw source, best first.

        Args:
            sources: what the preprocessor reads, e.g. paths of recordings.
            options: by default those that the model was measured with. `Greedy` takes the most
                probable unit or blank at each place; `Beam` searches for the most probable texts,
                over all their alignments, with the language model if `lm_weight` is not 0.
            batch_size: sources that are decoded together; of no effect on the result.
            jit: compile by XLA on TensorFlow.

        Raises:
            UserError: the model has no preprocessor, or no language model that is asked for, or
                the strategy is another.
        """
        options = options or self.default_options
        sources, preprocessor = listed(sources), self.require_preprocessor()
        if not isinstance(options.strategy, Greedy | Beam):
            raise UserError(f"A {type(self).__name__} is decoded by Greedy or Beam.")
        language_model = self.spoken_language() if options.lm_weight else None
        decode = self.decoding(options, language_model, bool(jit))
        return by_length(preprocessor, sources, batch_size, decode)
