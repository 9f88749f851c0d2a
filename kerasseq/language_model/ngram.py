"""An n-gram language model over token ids, for beams of every kind."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.assets import HasAssets
from kerasseq.checks import Order, VocabularySize, checked
from kerasseq.decoders import Stepwise
from kerasseq.errors import FileError, UserError
from kerasseq.language_model.kneser_ney import Table, estimate_ngrams
from kerasseq.language_model.table_file import read_table, write_table
from kerasseq.serialization import register
from kerasseq.special_ids import BEGIN, END, PAD

# Entries of the two dense tables that a search on the device needs: 240 MB.
_MOST_ENTRIES = 30_000_000
_KEPT_ENTRIES = 5_000_000
_FILE = "ngrams.npz"


@register()
class NGram(HasAssets, keras.layers.Layer, Stepwise):
    """An n-gram language model over token ids, with interpolated modified Kneser-Ney smoothing.

        p(w | h) = max(c(h w) - D(c(h w)), 0) / c(h) + gamma(h) p(w | h')
        gamma(h) = (D_1 N_1(h) + D_2 N_2(h) + D_3+ N_3+(h)) / c(h)

    h' is h without its first token. c are the counts of the highest order and of n-grams that begin
    a sequence; other n-grams count the different tokens before them. N_i(h) tokens come i times
    after h. Chen and Goodman, 1999, equations 26 and 27. Where there are too few counts to estimate
    D, it is 1/2, 1, 3/2. Below p(w) is a uniform distribution over all tokens but PAD and BEGIN,
    which have no probability. An unseen context stands for its longest seen suffix.

    The layer has no trained weights; its n-grams are assets. As a `Stepwise` it runs in the
    decoding loop on the device, with tables of contexts x V. Its memory is any pytree with N rows.

    Args:
        vocabulary_size: V.
        order: n.

    Raises:
        UserError: an argument is out of its range, the model is used before it learns or is loaded,
            or there are too many contexts for a search on the device.

    Example:

    >>> import kerasseq
    >>> model = kerasseq.NGram.learn([[4, 5, 6], [4, 5, 7], [5, 6]], vocabulary_size=8, order=2)
    >>> model.score([4, 5, 6]) > model.score([6, 5, 4])
    True
    >>> round(model.perplexity([[4, 5, 6]]), 1) < round(model.perplexity([[7, 7, 7]]), 1)
    True
    """

    @checked
    def __init__(self, vocabulary_size: VocabularySize, order: Order = 4, **kwargs: Any):
        super().__init__(**kwargs)
        self.built = True
        self.vocabulary_size, self.order = vocabulary_size, order
        self._ngrams: Table | None = None
        self._rows: Any = _Rows(self)
        self._dense: Any = None
        self._tensors: Any = None

    @classmethod
    def learn(
        cls, sequences: Iterable[Sequence[int]], vocabulary_size: int, order: int = 4
    ) -> "NGram":
        """Learns from sequences of ids. Special ids in them but UNKNOWN do not count.

        The method is not called `train`, which on PyTorch is a method of every layer.
        """
        model = cls(vocabulary_size, order)
        model._ngrams = estimate_ngrams(
            [_strip_special_ids(s) for s in sequences], vocabulary_size, order
        )
        return model

    @property
    def contexts(self) -> int:
        """The number of known contexts, the empty one included."""
        return len(self._table.weights)

    def start(self) -> int:
        """Returns the context at the beginning of a sequence."""
        return int(self.advance(np.array([0]), np.array([BEGIN]))[0])

    def log_probs(self, contexts: np.ndarray) -> np.ndarray:
        """(n,) contexts to (n, V), the log-probabilities of the next token; the end is END."""
        rows = [self._rows.of(int(context))[1] for context in contexts]
        return np.array(rows).reshape(-1, self.vocabulary_size)

    def advance(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """(n,) contexts and the tokens after them to the next contexts."""
        table, state = self._table, np.asarray(contexts)
        found = np.zeros(len(state), np.int64)
        for _ in range(self.order):
            place, hit = self._find(state, tokens)
            hit &= (found == 0) & (state >= 0)
            found[hit] = table.children[place[hit]]
            state = np.where(state >= 0, table.suffixes[state], -1)
        return found

    def score(self, sequence: Sequence[int]) -> float:
        """Computes log p of a sequence and its end, in nats."""
        return float(self._scores([_strip_special_ids(sequence)])[0])

    def perplexity(self, sequences: Iterable[Sequence[int]]) -> float:
        """Computes exp of minus the mean of log p over all tokens, the ends included."""
        rows = [_strip_special_ids(sequence) for sequence in sequences]
        return float(np.exp(-self._scores(rows).sum() / sum(len(row) + 1 for row in rows)))

    @property
    def _table(self) -> Table:
        if self._ngrams is None:
            raise UserError(
                "This language model has no n-grams: its file lacks the assets of "
                f"{self.name!r}. Save the model again with model.save('name.keras')."
            )
        return self._ngrams

    @property
    def _uniform(self) -> np.ndarray:
        uniform = np.full(self.vocabulary_size, 1 / (self.vocabulary_size - 2))
        uniform[[PAD, BEGIN]] = 0
        return uniform

    def _find(self, contexts, tokens):
        """Finds the places of the n-grams, and which of them exist."""
        keys = contexts * self.vocabulary_size + tokens
        place = np.minimum(np.searchsorted(self._table.keys, keys), len(self._table.keys) - 1)
        return place, self._table.keys[place] == keys

    def _scores(self, rows):
        """Computes log p of each row of ids with its end; all rows step together."""
        table, length = self._table, max(map(len, rows)) + 1
        ids = np.full((len(rows), length), PAD)
        for padded, row in zip(ids, rows, strict=True):
            padded[: len(row) + 1] = [*row, END]
        contexts, sums = np.full(len(rows), self.start()), np.zeros(len(rows))
        for tokens in ids.T:
            state, share, left = contexts, np.zeros(len(rows)), np.ones(len(rows))
            while (known := state >= 0).any():
                place, hit = self._find(state, tokens)
                share += np.where(hit & known, left * table.probs[place], 0)
                left *= np.where(known, table.weights[state], 1)
                state = np.where(known, table.suffixes[state], -1)
            share += left * self._uniform[tokens]
            sums += np.log(np.where(tokens == PAD, 1.0, share))
            contexts = self.advance(contexts, tokens)
        return sums

    def tables(self) -> dict[str, Any]:
        """Returns the `constants` as cached tensors, for calls outside of compiled functions."""
        if self._tensors is None:
            self._tensors = _Dense(**self.constants())
        return vars(self._tensors)

    def constants(self, precision: str | None = None) -> Any:
        """Returns the tables that steps read, (C, V) each: log-probabilities and next contexts."""
        contexts, size = self.contexts, self.vocabulary_size
        if contexts * size > _MOST_ENTRIES:
            raise UserError(
                f"The language model has {contexts} contexts of {size} tokens, too many for a "
                f"search with it: learn one of a lower order than {self.order}."
            )
        if self._dense is None:
            self._dense = _Dense(*_dense(self._table, self._uniform, self.order))
        return {
            "log_probs": ops.convert_to_tensor(self._dense.log_probs),
            "next": ops.convert_to_tensor(self._dense.next),
        }

    def begin(self, memory: Any, length: int, constants: Any = None) -> tuple[Any, Any]:
        rows = ops.shape(keras.tree.flatten(memory)[0])[0]
        constants = self.constants() if constants is None else constants
        return constants, {"context": ops.zeros((rows,), dtype="int32")}

    def expand(self, static: Any, state: Any, beams: int) -> tuple[Any, Any]:
        return static, super().expand((), state, beams)[1]

    def step(self, tokens: Any, position: Any, static: Any, state: Any) -> tuple[Any, Any]:
        # The first token is BEGIN, which leads from the empty context to the start.
        places = state["context"] * self.vocabulary_size + ops.cast(tokens, "int32")
        context = ops.take(ops.reshape(static["next"], (-1,)), places)
        return ops.take(static["log_probs"], context, axis=0), {"context": context}

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("dtype", None)  # it computes nothing in any dtype
        return {**config, "vocabulary_size": self.vocabulary_size, "order": self.order}

    def save_assets(self, directory: str) -> None:
        """Writes the n-grams."""
        write_table(os.path.join(directory, _FILE), self._table)

    def read_assets(self, directory: str) -> None:
        """Reads the file of `save_assets`.

        Raises:
            UserError: it is damaged, or is of another vocabulary.
        """
        path = os.path.join(directory, _FILE)
        if not os.path.exists(path):
            return  # `check` says so
        try:
            self._ngrams = read_table(path, self.vocabulary_size, self.order)
        except FileError as error:
            raise UserError(f"The language model in the file is damaged: {error.kind}.") from error
        self._rows, self._dense, self._tensors = _Rows(self), None, None

    def check(self) -> None:
        """Checks that there are n-grams.

        Raises:
            UserError: there are none.
        """
        _ = self._table


class _Rows:
    """A cache of p and log p of contexts, (V,) each."""

    def __init__(self, model: NGram):
        # Not the model itself: Keras tracks the attributes of a layer.
        self._of, self._kept = (lambda: (model._table, model._uniform)), {}

    def of(self, context: int) -> tuple[np.ndarray, np.ndarray]:
        found = self._kept.get(context)
        if found is None:
            table, uniform = self._of()
            suffix = int(table.suffixes[context])
            row = table.weights[context] * (self.of(suffix)[0] if suffix >= 0 else uniform)
            size = len(uniform)
            here = slice(*np.searchsorted(table.keys, [context * size, (context + 1) * size]))
            row[table.keys[here] - context * size] += table.probs[here]
            if len(self._kept) * size > _KEPT_ENTRIES:
                self._kept.clear()
            with np.errstate(divide="ignore"):
                found = self._kept[context] = row, np.log(row)
        return found


@dataclass(frozen=True)
class _Dense:
    log_probs: Any
    next: Any


def _dense(table, uniform, order):
    """log p, (C, V) float32, and the next contexts, (C, V) int32."""
    size, contexts = len(uniform), len(table.weights)
    probs = np.empty((contexts, size), np.float32)
    following = np.zeros((contexts, size), np.int32)
    lengths = table.lengths(order)
    for length in range(order):
        rows = slice(*np.searchsorted(lengths, [length, length + 1]))
        suffixes = table.suffixes[rows]
        probs[rows] = table.weights[rows, None] * (probs[suffixes] if length else uniform)
        following[rows] = following[suffixes] if length else 0
        here = slice(*np.searchsorted(table.keys, [rows.start * size, rows.stop * size]))
        probs.reshape(-1)[table.keys[here]] += table.probs[here].astype("float32")
        deeper = table.children[here] > 0
        following.reshape(-1)[table.keys[here][deeper]] = table.children[here][deeper]
    with np.errstate(divide="ignore"):
        return np.log(probs, out=probs), following


def _strip_special_ids(sequence):
    ids = np.asarray(sequence, np.int64).reshape(-1)
    return ids[(ids != PAD) & (ids != BEGIN) & (ids != END)]
