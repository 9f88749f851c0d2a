"""Pairs of texts on disk, as ids."""

import contextlib
import functools
import os
from collections.abc import Callable

import numpy as np

from kerasseq.data.parallel import map_in_threads
from kerasseq.data.rows import Rows, RowWriter, decode_texts, encode_texts, select_rows
from kerasseq.data.store import Store
from kerasseq.data.text.corpus import Chunk, PairCorpus
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import UserError
from kerasseq.preprocessing.padding import Ragged, pad_ragged
from kerasseq.preprocessing.text import SIDES, TextPreprocessor
from kerasseq.special_ids import UNKNOWN


class TokenStore(Store):
    """Source and target ids of N pairs, on disk. Every row ends with eos.

    Only lengths are in memory: 8 bytes for each pair. `build` leaves out pairs with more steps than
    the limits of the preprocessor.

    `build` has the option `keep_text`: whether the store keeps the texts too, from which training
    can draw segmentations. It is off by default.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the preprocessor that the store was built with, which draws segmentations.

    Attributes:
        problems: the entries of the corpus that were left out.
        unknown: maps each side to the units of its texts that are not in the vocabulary.

    Example:

    >>> from kerasseq.data import ListCorpus, TokenStore
    >>> from kerasseq.preprocessing import TextPreprocessor
    >>> corpus = ListCorpus([("one", "eins"), ("two", "zwei")])
    >>> preprocessor = TextPreprocessor.learn(corpus, "char", 30)
    >>> store = TokenStore.build("store", corpus, preprocessor)
    >>> len(store), store.lengths("source").tolist()
    (2, [5, 5])
    >>> rows = store.rows("target", [0, 1], width=8)
    >>> rows.shape, preprocessor.detokenize(rows)
    ((2, 8), ['eins', 'zwei'])
    """

    example = "pair"

    def __init__(self, path: str | os.PathLike, preprocessor: TextPreprocessor):
        super().__init__(path, preprocessor)
        meta = self._meta
        self.unknown = {side: UnknownUnits.from_dict(meta["unknown"][side]) for side in SIDES}
        self._ids = {side: Rows(self.path / f"{side}.ids", meta["dtype"][side]) for side in SIDES}
        self._texts = {side: Rows(self.path / f"{side}.text", "uint8") for side in SIDES}

    @classmethod
    def _writer(
        cls, preprocessor: TextPreprocessor, keep_text: bool = False
    ) -> tuple[str, Callable]:
        return str(keep_text), functools.partial(_write, preprocessor, keep_text)

    def __len__(self) -> int:
        return len(self._ids["source"].lengths)

    def lengths(self, side: str, sampling: float | None = None) -> np.ndarray:
        """Returns the number of steps of each row, eos included: (N,) int32.

        Args:
            side: "source" or "target".
            sampling: as in `Tokenizer.encode`. Segmentations that are drawn are longer than the
                best ones. With sampling, the lengths are multiplied by the ratio that 95 % of a
                thousand rows do not exceed.
        """
        lengths = self._ids[side].lengths
        if sampling is None:
            return lengths
        some = np.linspace(0, len(self) - 1, min(len(self), 1000)).astype(int)
        drawn = self._draw(side, some, sampling, seed=0).lengths
        ratio = np.quantile(drawn / lengths[some], 0.95)
        limit = getattr(self.preprocessor, f"max_{side}_length")
        return np.minimum(np.ceil(lengths * ratio), limit).astype(np.int32)

    def count_labels(self, size: int) -> np.ndarray:
        """Returns the number of each of the target ids 0 to `size` - 1: (size,)."""
        return self._ids["target"].count(size)

    def rows(
        self,
        side: str,
        indices: np.ndarray,
        width: int,
        sampling: float | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Returns the ids of some rows, padded: (n, width) int32.

        Args:
            side: "source" or "target".
            indices: of the pairs.
            width: the number of columns.
            sampling: draws segmentations, as `Tokenizer.encode` does. If the drawn segmentation of
                a row is longer than `width`, the row has its best one.
            seed: of the draw.
        """
        indices = np.asarray(indices)
        rows = pad_ragged(self._ids[side].take(indices), width)
        if sampling is None:
            return rows
        drawn = self._draw(side, indices, sampling, seed)
        fits = drawn.lengths <= width
        rows[fits] = pad_ragged(select_rows(drawn, fits), width)
        return rows

    def _draw(self, side, indices, sampling, seed):
        if not len(self._texts[side].lengths):
            raise UserError(f"{self.path} was built without the text that sampling needs.")
        lines = decode_texts(self._texts[side].take(indices))
        return self.preprocessor.tokenizer(side).encode_flat(lines, sampling, seed)


def _write(preprocessor, keep_text, folder, corpus, problems, threads, progress):
    pairs, unknown = 0, _no_unknown_units()
    sizes = (preprocessor.source_vocabulary_size, preprocessor.target_vocabulary_size)
    dtype = {
        side: "uint16" if size <= 1 << 16 else "int32"
        for side, size in zip(SIDES, sizes, strict=True)
    }

    def encode(chunk: Chunk) -> dict[str, Ragged]:
        return {side: preprocessor.encode(getattr(chunk, side), side) for side in SIDES}

    with contextlib.ExitStack() as stack:
        writers = {
            side: stack.enter_context(RowWriter(folder / f"{side}.ids", dtype[side]))
            for side in SIDES
        }
        texts = {
            side: stack.enter_context(RowWriter(folder / f"{side}.text", "uint8"))
            for side in SIDES * keep_text
        }
        for chunk, rows in map_in_threads(encode, corpus.chunks(), threads):
            chunk, rows = _within_limits(chunk, rows, preprocessor, problems)
            for side, writer in writers.items():
                writer.add(rows[side])
                _count_unknown(unknown[side], rows[side], getattr(chunk, side), preprocessor, side)
            for side, writer in texts.items():
                writer.add(encode_texts(preprocessor.normalize(getattr(chunk, side), side)))
            pairs += len(chunk.lines)
            progress(pairs)
    return pairs, {"dtype": dtype, "unknown": {side: unknown[side].to_dict() for side in SIDES}}


def count_unknown_units(
    corpus: PairCorpus, preprocessor: TextPreprocessor
) -> dict[str, UnknownUnits]:
    """Returns for each side the units of a corpus that the vocabulary lacks."""
    unknown = _no_unknown_units()
    for chunk in corpus.chunks():
        for side in SIDES:
            texts = getattr(chunk, side)
            rows = preprocessor.encode(texts, side)
            _count_unknown(unknown[side], rows, texts, preprocessor, side)
    return unknown


def _no_unknown_units() -> dict[str, UnknownUnits]:
    return {side: UnknownUnits(f"{side} texts") for side in SIDES}


def _count_unknown(unknown: UnknownUnits, rows: Ragged, texts, preprocessor, side) -> None:
    """Counts the texts of some rows; only texts with unknown ids are looked at again."""
    ends = np.concatenate([[0], np.cumsum(rows.ids == UNKNOWN)])[rows.offsets]
    affected = [texts[index] for index in np.flatnonzero(np.diff(ends))]
    for units in preprocessor.unknown(affected, side):
        unknown.add(units)
    unknown.texts += len(texts) - len(affected)


def _within_limits(chunk, rows, preprocessor, problems):
    """Returns the pairs that are short enough, and their rows."""
    limits = {side: getattr(preprocessor, f"max_{side}_length") for side in SIDES}
    fits = np.ones(len(chunk.lines), bool)
    for side in SIDES:
        lengths = rows[side].lengths
        for index in np.flatnonzero((lengths > limits[side]) & fits):
            kind = f"the {side} is longer than {limits[side] - 1} pieces"
            problems.add(chunk.place, chunk.lines[index], kind)
        fits &= lengths <= limits[side]
    if fits.all():
        return chunk, rows
    return chunk.select(fits), {side: select_rows(some, fits) for side, some in rows.items()}
