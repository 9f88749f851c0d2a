"""Raw text to the arrays of a model, and ids back to text."""

import os
import warnings
from collections.abc import Iterable, Sequence

import keras
import numpy as np

from kerasseq.errors import UserError
from kerasseq.preprocessing.padding import (
    BEGIN,
    END,
    PAD,
    Ragged,
    ladder_length,
    pad,
    teacher_forcing,
)
from kerasseq.preprocessing.tokenizer import Kind, Tokenizer

SIDES = ("source", "target")


@keras.saving.register_keras_serializable("kerasseq")
class TextPreprocessor(keras.layers.Layer):
    """Source and target tokenizers of a text-to-text model, saved in it.

    It has no weights and knows nothing of dtypes; every array is NumPy's. Source rows and labels
    end with eos. Lengths are padded up to a short ladder (8, 16, 24, 32, 48, 64, ...), so that
    few shapes are ever compiled.

    The sizes of the vocabularies stand in the configuration, so that a model can be built before
    its vocabularies, which are assets, are read.

    Args:
        source: tokenizer of the source side.
        target: tokenizer of the target side; None shares the source's.
        lowercase: lower-case both sides (`str.lower`) first.
        max_source_length: S at most, eos included; a longer text is cut, with a warning.
        max_target_length: T at most, eos included; likewise.
        vocabularies: what `get_config` wrote: size and digest for "source" and "target". It
            stands in for the tokenizers until the assets are loaded.

    Raises:
        UserError: if used without its vocabulary, or loaded with another than it was saved with.
    """

    def __init__(
        self,
        source: Tokenizer | None = None,
        target: Tokenizer | None = None,
        *,
        lowercase: bool = False,
        max_source_length: int = 256,
        max_target_length: int = 256,
        vocabularies: dict | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.built = True
        if source is None and vocabularies is None:
            raise UserError("A TextPreprocessor needs a source tokenizer.")
        self.lowercase = lowercase
        self.max_source_length = max_source_length
        self.max_target_length = max_target_length
        self.vocabularies = vocabularies or {
            side: {"size": tokenizer.vocabulary_size, "digest": tokenizer.digest}
            for side, tokenizer in zip(SIDES, (source, target or source), strict=True)
        }
        self._refused: UserError | None = None
        self._tokenizers = {} if source is None else {"source": source, "target": target or source}

    @classmethod
    def learn(
        cls,
        pairs: Iterable[tuple[str, str]],
        kind: Kind = "unigram",
        vocabulary_size: int = 8000,
        *,
        shared: bool = True,
        lowercase: bool = False,
        max_source_length: int = 256,
        max_target_length: int = 256,
        **options,
    ) -> "TextPreprocessor":
        """Learn the vocabularies of pairs that can be iterated more than once.

        Not `train`, which on PyTorch is a method of every layer.

        Args:
            shared: one vocabulary for both sides, as tied embeddings need.
            options: as in `Tokenizer.train`.
        """

        def lines(*sides):
            for pair in pairs:
                for side in sides:
                    yield pair[side].lower() if lowercase else pair[side]

        sides = [(0, 1)] if shared else [(0,), (1,)]
        return cls(
            *(Tokenizer.train(lines(*side), kind, vocabulary_size, **options) for side in sides),
            lowercase=lowercase,
            max_source_length=max_source_length,
            max_target_length=max_target_length,
        )

    @property
    def shared(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.digest("source") == self.digest("target")

    def digest(self, side: str) -> str:
        """What tells the vocabulary of "source" or "target" from others."""
        return self.vocabularies[side]["digest"]

    @property
    def source_vocabulary_size(self) -> int:
        """V of the source side, special ids included."""
        return self.vocabularies["source"]["size"]

    @property
    def target_vocabulary_size(self) -> int:
        """V of the target side, special ids included."""
        return self.vocabularies["target"]["size"]

    def tokenizer(self, side: str) -> Tokenizer:
        """The tokenizer of "source" or "target".

        Raises:
            UserError: if the vocabulary was never loaded.
        """
        if side not in self._tokenizers:
            raise UserError(
                "This model has no vocabulary: its file lacks the assets of "
                f"{self.name!r}. Save it again with model.save('name.keras')."
            )
        return self._tokenizers[side]

    def normalize(self, texts: Sequence[str]) -> list[str]:
        """The texts as the tokenizers read them."""
        return [text.lower() for text in texts] if self.lowercase else list(texts)

    def encode(
        self, texts: Sequence[str], side: str, sampling: float | None = None, seed: int = 0
    ) -> Ragged:
        """Ids of N texts, each ended by eos, end to end and uncut; see `Tokenizer.encode`."""
        return self.tokenizer(side).encode_flat(self.normalize(texts), sampling, seed)

    def features(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Source texts to {"values": (N, S) int32, "mask": (N, S) bool, True = real}."""
        values = self._padded(texts, "source", self.max_source_length)
        return {"values": values, "mask": values != PAD}

    def padded_length(self, steps: int) -> int:
        """The S that `features` pads a row of so many real steps to."""
        return ladder_length(steps)

    def prefix(self, texts: Sequence[str]) -> Ragged:
        """Ids of the beginnings of N target texts, without an end."""
        rows = self.tokenizer("target").encode(self.normalize(texts))
        flat = [token for row in rows for token in row]
        offsets = np.cumsum([0, *map(len, rows)])
        return Ragged(np.asarray(flat, np.int32), offsets)

    def targets(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Target texts to tokens (N, T) int32, labels (N, T) int32, weights (N, T) float32."""
        labels = self._padded(texts, "target", self.max_target_length)
        tokens, weights = teacher_forcing(labels)
        return tokens, labels, weights

    def detokenize(self, ids: np.ndarray | Sequence[Sequence[int]]) -> list[str]:
        """Text of each row of target ids (N, L), up to its first eos; unk is shown as "⁇"."""
        return self.tokenizer("target").decode([_content(row) for row in ids])

    def pieces(self, ids: Sequence[int], side: str) -> list[str]:
        """The written form of each id of one row, for drawings."""
        return self.tokenizer(side).pieces(ids)

    def _padded(self, texts, side, limit):
        rows = self.tokenizer(side).encode(self.normalize(texts))
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
        config = super().get_config()
        # The layer computes nothing in any dtype: a policy in the file could only do harm.
        config.pop("dtype", None)
        return {
            **config,
            "lowercase": self.lowercase,
            "max_source_length": self.max_source_length,
            "max_target_length": self.max_target_length,
            "vocabularies": {side: dict(self.vocabularies[side]) for side in SIDES},
        }

    def save_assets(self, directory: str) -> None:
        """Write the vocabularies: `source.model`, and `target.model` unless shared."""
        for side in SIDES[: 1 if self.shared else 2]:
            with open(os.path.join(directory, f"{side}.model"), "wb") as file:
                file.write(self.tokenizer(side).to_bytes())

    def load_assets(self, directory: str | None) -> None:
        """Read what `save_assets` wrote; None is an archive that has nothing of this layer.

        Raises:
            UserError: if a vocabulary is not the one that the configuration names.
        """
        if directory is None:
            # Keras tries every path that leads to a layer, and would take this one for success.
            if self._refused is not None:
                raise self._refused
            return
        for side in SIDES[: 1 if self.shared else 2]:
            path = os.path.join(directory, f"{side}.model")
            if not os.path.exists(path):
                continue  # `tokenizer` says so when it is asked for
            with open(path, "rb") as file:
                tokenizer = Tokenizer.from_bytes(file.read())
            if tokenizer.digest != self.vocabularies[side]["digest"]:
                self._refused = UserError(
                    f"The {side} vocabulary in the file is not the one this model was saved "
                    "with: the file is damaged or was put together from two models."
                )
                raise self._refused
            self._tokenizers[side] = tokenizer
        if self.shared and "source" in self._tokenizers:
            self._tokenizers["target"] = self._tokenizers["source"]


def _content(row):
    row = [int(i) for i in row]
    if END in row:
        row = row[: row.index(END)]
    return [i for i in row if i not in (PAD, BEGIN)]
