"""Raw text to the arrays of a model, and ids back to text."""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np

from kerasseq.checks import Size, checked
from kerasseq.preprocessing.base import Preprocessor
from kerasseq.preprocessing.normalization import TEXT, normalize_lines, normalize_texts
from kerasseq.preprocessing.padding import Ragged, ladder_length, pad, teacher_forcing
from kerasseq.preprocessing.tokenizer import Kind, Tokenizer
from kerasseq.serialization import register
from kerasseq.special_ids import END, PAD

SIDES = ("source", "target")


@register()
class TextPreprocessor(Preprocessor):
    """The source and target tokenizers of a text-to-text model, saved in it.

    Source rows and labels end with eos. The preprocessor pads lengths up to a short ladder (8, 16,
    24, 32, 48, 64, ...), so that few shapes are ever compiled.

    Args:
        source: tokenizer of the source side.
        target: tokenizer of the target side; None shares the source's.
        steps: the normalisation of both sides, and of references: names of
            `kerasseq.preprocessing.normalization.STEPS`, in order. Without steps, which suits
            program text, a text comes back exactly, with its white space.
        max_source_length: S at most, eos included. A longer text is cut, with a warning.
        max_target_length: T at most, eos included; likewise.
        vocabularies: the size and digest of "source" and "target" from `get_config`, in place of
            the tokenizers until the assets are loaded.

    Raises:
        UserError: a step is unknown or an argument out of its range, the preprocessor is used
            without its vocabularies, or it is loaded with others than it was saved with.

    Example:

    >>> import kerasseq
    >>> pairs = [("one two", "eins zwei"), ("two three", "zwei drei")]
    >>> preprocessor = kerasseq.TextPreprocessor.learn(pairs, kind="char", vocabulary_size=40)
    >>> features = preprocessor.features(["one two"])
    >>> features["values"].shape, int(features["mask"].sum())  # 8 pieces with "▁", and the end
    ((1, 16), 9)
    >>> tokens, labels, weights = preprocessor.targets(["zwei drei"])
    >>> preprocessor.detokenize(labels)
    ['zwei drei']
    """

    SIDES = SIDES

    @checked
    def __init__(
        self,
        source: Tokenizer | None = None,
        target: Tokenizer | None = None,
        *,
        steps: Sequence[str] = TEXT,
        max_source_length: Size = 256,
        max_target_length: Size = 256,
        vocabularies: dict | None = None,
        **kwargs,
    ):
        both = None if source is None else {"source": source, "target": target or source}
        super().__init__(both, vocabularies, steps, **kwargs)
        self.max_source_length = max_source_length
        self.max_target_length = max_target_length

    @classmethod
    def learn(
        cls,
        pairs: Iterable[tuple[str, str]],
        kind: Kind = "unigram",
        vocabulary_size: int = 8000,
        *,
        shared: bool = True,
        steps: Sequence[str] = TEXT,
        max_source_length: int = 256,
        max_target_length: int = 256,
        **options,
    ) -> "TextPreprocessor":
        """Learns the vocabularies of pairs that can be iterated more than once.

        The method is not called `train`, which on PyTorch is a method of every layer.

        Args:
            pairs: (source, target) texts.
            shared: one vocabulary for both sides, which tied embeddings need.
            options: as in `Tokenizer.train`.
        """

        def lines(*sides):
            return normalize_lines((pair[side] for pair in pairs for side in sides), steps)

        sides = [(0, 1)] if shared else [(0,), (1,)]
        return cls(
            *(Tokenizer.train(lines(*side), kind, vocabulary_size, **options) for side in sides),
            steps=steps,
            max_source_length=max_source_length,
            max_target_length=max_target_length,
        )

    @property
    def shared(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.digest("source") == self.digest("target")

    @property
    def source_vocabulary_size(self) -> int:
        """V of the source side, special ids included."""
        return self.vocabularies["source"]["size"]

    def encode(
        self, texts: Sequence[str], side: str, sampling: float | None = None, seed: int = 0
    ) -> Ragged:
        """Returns the ids of N texts, each with eos, end to end; see `Tokenizer.encode`."""
        return self.tokenizer(side).encode_flat(normalize_texts(texts, self.steps), sampling, seed)

    def features(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Source texts to {"values": (N, S) int32, "mask": (N, S) bool, True = real}."""
        values = self._padded(texts, "source", self.max_source_length)
        return {"values": values, "mask": values != PAD}

    def padded_length(self, steps: int, side: str = "source") -> int:
        """Returns the S (or T) to which a row with that many real steps is padded."""
        return ladder_length(steps)

    def targets(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Target texts to tokens (N, T) int32, labels (N, T) int32, weights (N, T) float32."""
        labels = self._padded(texts, "target", self.max_target_length)
        tokens, weights = teacher_forcing(labels)
        return tokens, labels, weights

    def _padded(self, texts, side, limit):
        rows = self.tokenizer(side).encode(normalize_texts(texts, self.steps))
        cut = [index for index, row in enumerate(rows) if len(row) >= limit]
        if cut:
            warnings.warn(
                f"{len(cut)} of {len(rows)} {side} texts are longer than {limit - 1} pieces and "
                f"were cut, the first of them: {texts[cut[0]][:60]!r}...",
                stacklevel=3,
            )
        rows = [[*row[: limit - 1], END] for row in rows]
        return pad(rows, ladder_length(max(map(len, rows), default=1)))

    def get_config(self):
        return {
            **super().get_config(),
            "max_source_length": self.max_source_length,
            "max_target_length": self.max_target_length,
        }

    @classmethod
    def from_config(cls, config: dict) -> "TextPreprocessor":
        config = dict(config)
        if "steps" not in config:
            # Of older files: the tokenizers themselves do the rest.
            config["steps"] = ("lower",) if config.pop("lowercase", False) else ()
        return cls(**config)
