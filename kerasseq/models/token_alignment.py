"""What a model is to those who ask where in a source it heard a token."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasseq.errors import UserError
from kerasseq.models.hypothesis import Hypothesis, Word, group_words
from kerasseq.special_ids import END


class TokenAlignment:
    """A model's part in alignment: it has a vocabulary, a preprocessor and steps of its memory."""

    vocabulary_size: int
    factor: int

    def require_preprocessor(self) -> Any:
        """The preprocessor."""
        raise NotImplementedError

    def token_alignment(
        self, source: Any, hypothesis: Hypothesis
    ) -> tuple[Sequence[int], Sequence[float]]:
        """The encoder's step at which each token of a hypothesis was heard, the end symbol
        excepted, and its log-probability.

        Raises:
            UserError: the hypothesis is none of this model.
        """
        if len(hypothesis.frames) != len(hypothesis.tokens):
            raise UserError(
                "This hypothesis does not say when each of its tokens was heard: give one that "
                "this model wrote."
            )
        return hypothesis.frames, hypothesis.log_probs

    def _check_tokens(self, hypothesis: Hypothesis) -> list[int]:
        """The tokens of a hypothesis, the end symbol excepted.

        Raises:
            UserError: one is not of this model's vocabulary.
        """
        for token in hypothesis.tokens:
            if not 0 <= token < self.vocabulary_size:
                raise UserError(
                    f"This hypothesis has the token {token}, but the model knows "
                    f"{self.vocabulary_size}: give one that this model wrote."
                )
        return [token for token in hypothesis.tokens if token != END]

    def words(self, source: Any, hypothesis: Hypothesis) -> list[Word]:
        """The words of a hypothesis on a recording, with their times.

        Args:
            source: the recording.
            hypothesis: what `hypotheses` made of it.
        """
        frames, log_probs = self.token_alignment(source, hypothesis)
        preprocessor = self.require_preprocessor()
        if not hasattr(preprocessor, "rate"):
            raise UserError("Only words that a model of sound wrote have times.")
        pieces = preprocessor.pieces(list(hypothesis.tokens[: len(frames)]), "target")
        return group_words(pieces, frames, log_probs, self.factor / preprocessor.rate)

    def alignment(self, source: Any, hypothesis: Hypothesis) -> Any:
        """How much each token of a hypothesis was heard at each step of the encoder, (T, F).

        Here each token's probability, at the one step that it is ascribed to.
        """
        frames, log_probs = self.token_alignment(source, hypothesis)
        samples = int(self.require_preprocessor().features([source])["mask"].sum())
        weights = np.zeros((len(frames), max([samples // self.factor, *frames]) + 1))
        weights[np.arange(len(frames)), list(frames)] = np.exp(log_probs)
        return weights
