"""The base of the preprocessors: the vocabularies that a model file holds."""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasseq.assets import HasAssets
from kerasseq.errors import UserError
from kerasseq.preprocessing.normalization import check_steps, normalize_texts
from kerasseq.preprocessing.padding import Ragged
from kerasseq.preprocessing.tokenizer import Tokenizer, digest_of
from kerasseq.special_ids import BEGIN, END, PAD


class Preprocessor(HasAssets, keras.layers.Layer):
    """A layer without weights that holds tokenizers. The last of them writes the output.

    The configuration holds the sizes and digests of the vocabularies. So a model can be built
    before Keras reads its vocabularies, which are assets. The layer ignores dtypes; every array is
    NumPy's.

    A subclass names its SIDES and its kind of input, `reads` ("text", "sound", "picture"), and
    implements `features(raw)`, `targets(texts)`, `padded_length(steps, side)` and `is_single(raw)`.

    Named steps normalise texts before a tokenizer reads them, and references before they are
    compared with a model's texts.

    Args:
        tokenizers: by side; None where a file holds them.
        vocabularies: the size and digest of each side, from `get_config`.
        steps: names of `kerasseq.preprocessing.normalization.STEPS`, in order.

    Raises:
        UserError: a step is unknown, the preprocessor is used without its vocabulary, or it is
            loaded with another vocabulary than it was saved with.
    """

    SIDES: tuple[str, ...] = ("target",)
    reads = "text"

    def __init__(
        self,
        tokenizers: dict[str, Tokenizer] | None,
        vocabularies: dict | None,
        steps: Sequence[str],
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.built = True
        if tokenizers is None and vocabularies is None:
            raise UserError(f"A {type(self).__name__} needs a {self.SIDES[0]} tokenizer.")
        self.vocabularies = vocabularies or {
            side: {"size": tokenizer.vocabulary_size, "digest": tokenizer.digest}
            for side, tokenizer in tokenizers.items()
        }
        self.steps = check_steps(steps)
        self._tokenizers = tokenizers or {}

    def is_single(self, raw: Any) -> bool:
        """Whether `raw` is one input that the model reads, not a list of them."""
        return isinstance(raw, str)

    def digest(self, side: str) -> str:
        """Returns the SHA-256 of the vocabulary of one side."""
        return self.vocabularies[side]["digest"]

    @property
    def target_vocabulary_size(self) -> int:
        """V of the target side, special ids included."""
        return self.vocabularies["target"]["size"]

    def tokenizer(self, side: str) -> Tokenizer:
        """Returns the tokenizer of one side.

        Raises:
            UserError: the vocabulary was never loaded.
        """
        if side not in self._tokenizers:
            raise UserError(
                "This model has no vocabulary: its file lacks the assets of "
                f"{self.name!r}. Save it again with model.save('name.keras')."
            )
        return self._tokenizers[side]

    def normalize(self, texts: Sequence[str], side: str = "target") -> list[str]:
        """Normalises texts as the model reads and writes them, for comparison with references."""
        return normalize_texts(texts, self.steps, self.tokenizer(side).normalize)

    def unknown(self, texts: Sequence[str], side: str = "target") -> list[list[str]]:
        """Returns the characters, or the words, of each text that the vocabulary lacks."""
        return list(map(self.tokenizer(side).unknown, self.normalize(texts, side)))

    def prefix(self, texts: Sequence[str]) -> Ragged:
        """Returns the ids of the beginnings of N target texts, without an end."""
        rows = self.tokenizer("target").encode(normalize_texts(texts, self.steps))
        flat = [token for row in rows for token in row]
        offsets = np.cumsum([0, *map(len, rows)])
        return Ragged(np.asarray(flat, np.int32), offsets)

    def detokenize(self, ids: np.ndarray | Sequence[Sequence[int]]) -> list[str]:
        """Returns the text of each row of target ids (N, L) up to its eos; unk becomes "⁇"."""
        return self.tokenizer("target").decode([_strip_special_ids(row) for row in ids])

    def pieces(self, ids: Sequence[int], side: str = "target") -> list[str]:
        """Returns the written form of each id of one row, for drawings."""
        return self.tokenizer(side).pieces(ids)

    def get_config(self):
        config = super().get_config()
        # The layer computes nothing in any dtype: a policy in the file could only do harm.
        config.pop("dtype", None)
        return {
            **config,
            "steps": list(self.steps),
            "vocabularies": {side: dict(self.vocabularies[side]) for side in self.SIDES},
        }

    def _owner(self, side: str) -> str:
        """Returns the side whose vocabulary this side shares, or itself."""
        return next(other for other in self.SIDES if self.digest(other) == self.digest(side))

    def save_assets(self, directory: str) -> None:
        """Writes the vocabularies: `<side>.model`, one file for sides that share theirs."""
        for side in {self._owner(side) for side in self.SIDES}:
            with open(os.path.join(directory, f"{side}.model"), "wb") as file:
                file.write(self.tokenizer(side).to_bytes())

    def read_assets(self, directory: str) -> None:
        """Reads the files of `save_assets`.

        Raises:
            UserError: a vocabulary is damaged or not the one that the configuration names.
        """
        for side in self.SIDES:
            if (owner := self._owner(side)) != side:
                if owner in self._tokenizers:
                    self._tokenizers[side] = self._tokenizers[owner]
                continue
            path = os.path.join(directory, f"{side}.model")
            if not os.path.exists(path):
                continue  # `check` says so
            with open(path, "rb") as file:
                model = file.read()
            if digest_of(model) != self.digest(side):
                raise UserError(
                    f"The {side} vocabulary in the file is not the one this model was saved "
                    "with: the file is damaged or was put together from two models."
                )
            try:
                tokenizer = Tokenizer.from_bytes(model)
            except UserError as error:
                raise UserError(f"The {side} vocabulary in the file is damaged: {error}") from error
            if tokenizer.vocabulary_size != self.vocabularies[side]["size"]:
                raise UserError(
                    f"The {side} vocabulary in the file has {tokenizer.vocabulary_size} pieces, "
                    f"not {self.vocabularies[side]['size']}: the file is damaged."
                )
            self._tokenizers[side] = tokenizer

    def check(self) -> None:
        """Checks that all vocabularies are there.

        Raises:
            UserError: one is missing.
        """
        for side in self.SIDES:
            self.tokenizer(side)


def _strip_special_ids(row):
    row = [int(i) for i in row]
    if END in row:
        row = row[: row.index(END)]
    return [i for i in row if i not in (PAD, BEGIN)]
