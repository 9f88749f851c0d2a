"""The alignment of the tokens and words of a text to a source."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kerasseq.errors import UserError
from kerasseq.models.confidence import Calibration
from kerasseq.models.hypothesis import Hypothesis, Word, group_words
from kerasseq.special_ids import END


class TokenAlignment:
    """A model's part in alignment. The model has a vocabulary, a preprocessor, a card, and a
    factor and a margin of steps.
    """

    vocabulary_size: int
    factor: int
    margin: int
    card: dict

    def require_preprocessor(self) -> Any:
        """Returns the preprocessor."""
        raise NotImplementedError

    def token_alignment(
        self, source: Any, hypothesis: Hypothesis
    ) -> tuple[Sequence[int], Sequence[float]]:
        """Returns the encoder's step at which each token of a hypothesis begins, and its
        log-probability.

        The end symbol has none.

        Raises:
            UserError: the hypothesis is not of this model.
        """
        if len(hypothesis.frames) != len(hypothesis.tokens):
            raise UserError(
                "This hypothesis does not say when each of its tokens was heard: give one that "
                "this model wrote."
            )
        return hypothesis.frames, hypothesis.log_probs

    def _check_tokens(self, hypothesis: Hypothesis) -> list[int]:
        """Returns the tokens of a hypothesis without the end symbol.

        Raises:
            UserError: one is not in this model's vocabulary.
        """
        for token in hypothesis.tokens:
            if not 0 <= token < self.vocabulary_size:
                raise UserError(
                    f"This hypothesis has the token {token}, but the model knows "
                    f"{self.vocabulary_size}: give one that this model wrote."
                )
        return [token for token in hypothesis.tokens if token != END]

    def words(self, source: Any, hypothesis: Hypothesis) -> list[Word]:
        """Returns the words of a hypothesis on a recording, with their times.

        Args:
            source: the recording.
            hypothesis: one of its `hypotheses`.
        """
        frames, log_probs = self.token_alignment(source, hypothesis)
        preprocessor = self.require_preprocessor()
        if not hasattr(preprocessor, "rate"):
            raise UserError("Only words that a model of sound wrote have times.")
        pieces = preprocessor.pieces(list(hypothesis.tokens[: len(frames)]), "target")
        seconds = self.factor / preprocessor.rate
        words = group_words(pieces, frames, log_probs, seconds, self.calibration())
        if not self.margin:
            return words
        before = self.margin / preprocessor.rate
        last = self._count_samples(source) / preprocessor.rate

        def place(time: float) -> float:
            return round(min(max(time - before, 0.0), last), 3)

        return [replace(word, start=place(word.start), end=place(word.end)) for word in words]

    def calibration(self) -> Calibration:
        """Returns the calibration in the card, or one that changes nothing."""
        return Calibration.from_card(self.card)

    def alignment(self, source: Any, hypothesis: Hypothesis) -> Any:
        """Returns the weight of each token of a hypothesis at each step of the encoder, (T, F).

        Here it is the probability of each token, at its one step.
        """
        frames, log_probs = self.token_alignment(source, hypothesis)
        samples = self._count_samples(source) + 2 * self.margin
        weights = np.zeros((len(frames), max([samples // self.factor, *frames]) + 1))
        weights[np.arange(len(frames)), list(frames)] = np.exp(log_probs)
        return weights

    def _count_samples(self, source: Any) -> int:
        return int(self.require_preprocessor().features([source])["mask"].sum())
