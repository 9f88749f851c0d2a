"""The base of the preprocessors of sound and of pictures: the texts that a model writes."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from kerasseq.preprocessing.base import Preprocessor
from kerasseq.preprocessing.normalization import SPOKEN, normalize_lines, normalize_texts
from kerasseq.preprocessing.padding import (
    Ragged,
    ladder_length,
    pad_ragged,
    prediction_tokens,
    teacher_forcing,
)
from kerasseq.preprocessing.tokenizer import Kind, Tokenizer
from kerasseq.special_ids import END, PAD


class TargetTextPreprocessor(Preprocessor):
    """A preprocessor whose target side alone is text.

    Args:
        target: tokenizer of the texts.
        steps: their normalisation, in training and in scoring: names of
            `kerasseq.preprocessing.normalization.STEPS`, in order.
        end: whether labels end with eos.
        max_target_length: U at most, eos included. A longer text is cut, with a warning.
        vocabularies: the size and digest of "target" from `get_config`, in place of the tokenizer
            until the assets are loaded.

    Attributes:
        writes: the noun for the texts in messages.
    """

    writes = "texts"

    def __init__(
        self,
        target: Tokenizer | None,
        steps: Sequence[str],
        end: bool,
        max_target_length: int,
        vocabularies: dict | None,
        **kwargs,
    ):
        tokenizers = None if target is None else {"target": target}
        super().__init__(tokenizers, vocabularies, steps, **kwargs)
        self.end, self.max_target_length = end, max_target_length

    @classmethod
    def learn(
        cls,
        texts: Iterable[str],
        kind: Kind = "char",
        vocabulary_size: int = 1000,
        *,
        steps: Sequence[str] = SPOKEN,
        character_coverage: float = 1.0,
        **options,
    ) -> Self:
        """Learns the vocabulary of texts, which it normalises by `steps` first.

        Args:
            texts: the texts, read once.
            kind, vocabulary_size, character_coverage: as in `Tokenizer.train`.
            options: of the preprocessor.
        """
        tokenizer = Tokenizer.train(
            normalize_lines(texts, steps),
            kind,
            vocabulary_size,
            character_coverage=character_coverage,
        )
        return cls(tokenizer, steps=steps, **options)

    def encode(self, texts: Sequence[str], sampling: float | None = None, seed: int = 0) -> Ragged:
        """Returns the ids of N texts end to end and uncut, each with eos if `end`."""
        texts = normalize_texts(texts, self.steps)
        rows = self.tokenizer("target").encode_flat(texts, sampling, seed)
        if self.end:
            return rows
        return Ragged(rows.ids[rows.ids != END], rows.offsets - np.arange(len(rows.offsets)))

    def padded_length(self, steps: int, side: str = "target") -> int:
        """Returns the number of labels to which a row with that many real ones is padded."""
        return ladder_length(steps)

    def targets(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Texts to tokens, labels (N, U) int32 and weights (N, U) float32.

        With `end`, labels end with eos, and tokens (N, U) are bos and all labels but the last.
        Without it, tokens (N, U + 1) are bos and all labels, for a prediction network. Weights are
        1 on real labels.
        """
        rows = self.encode(texts)
        limit, lengths = self.max_target_length, rows.lengths
        if cut := np.flatnonzero(lengths > limit).tolist():
            warnings.warn(
                f"{len(cut)} of {len(texts)} {self.writes} are longer than {limit} pieces and "
                f"were cut, the first of them: {texts[cut[0]][:60]!r}...",
                stacklevel=2,
            )
            place = np.arange(len(rows.ids)) - np.repeat(rows.offsets[:-1], lengths)
            ids = np.where((place == limit - 1) & self.end, END, rows.ids)[place < limit]
            rows = Ragged(ids, np.concatenate([[0], np.cumsum(np.minimum(lengths, limit))]))
        return self.inputs(pad_ragged(rows, ladder_length(int(rows.lengths.max(initial=1)))))

    def inputs(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Padded labels (N, U) to (tokens, labels, weights), see `targets`."""
        if self.end:
            tokens, weights = teacher_forcing(labels)
        else:
            tokens, weights = prediction_tokens(labels), (labels != PAD).astype(np.float32)
        return tokens, labels, weights

    def get_config(self):
        return {
            **super().get_config(),
            "end": self.end,
            "max_target_length": self.max_target_length,
        }
