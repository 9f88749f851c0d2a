"""A corpus encoded once, in flat files of which any row can be read."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasseq.data.corpus import Chunk, Corpus, Problems, digest
from kerasseq.data.folder import build_folder, mapped, nothing_left, options_of, read_meta
from kerasseq.data.rows import Rows, RowWriter, row_texts, text_rows
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import UserError
from kerasseq.preprocessing.padding import Ragged, pad_ragged
from kerasseq.preprocessing.text import SIDES, TextPreprocessor
from kerasseq.special_ids import UNKNOWN

FORMAT = 3  # of the files; a store with another is built anew


class TokenStore:
    """Source and target ids of N pairs, on disk.

    Only the lengths (8 bytes a pair) are held in memory. Every row ends with eos.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the one it was built with; drawing segmentations needs it.

    Attributes:
        problems: what was left out of the corpus.
        unknown: by side, the characters (or words) of the texts that the vocabulary lacks.
    """

    def __init__(self, path: str | os.PathLike, preprocessor: TextPreprocessor):
        self.path, self.preprocessor = Path(path), preprocessor
        meta = read_meta(self.path)
        self.problems = Problems.from_dict(meta["problems"])
        self.unknown = {side: UnknownUnits.from_dict(meta["unknown"][side]) for side in SIDES}
        self._ids = {side: Rows(self.path / f"{side}.ids", meta["dtype"][side]) for side in SIDES}
        self._texts = {side: Rows(self.path / f"{side}.text", "uint8") for side in SIDES}

    @classmethod
    def build(
        cls,
        path: str | os.PathLike,
        corpus: Corpus,
        preprocessor: TextPreprocessor,
        *,
        keep_text: bool = False,
        replace: bool = True,
        threads: int | None = None,
        progress: Callable[[int], None] = lambda pairs: None,
    ) -> "TokenStore":
        """Encode a corpus, or open what was built from the same one with the same options.

        Pairs with more steps than the preprocessor's limits are left out and counted. The folder
        appears whole or not at all: a build that is killed leaves nothing that is taken for one.

        Args:
            keep_text: keep the text too, from which segmentations can be drawn in training.
            replace: whether what was built before may have held other rows.
            threads: cores to encode with; None takes all of this process's.
            progress: called with the number of pairs stored so far.

        Raises:
            UserError: if no pair is left, the disk is full, or the rows are others than before
                and must not be.
        """
        path = Path(path)
        fingerprint = digest(
            [str(FORMAT), corpus.fingerprint(), options_of(preprocessor), str(keep_text)]
        )

        def write(folder: Path) -> dict:
            return _write(folder, corpus, preprocessor, keep_text, threads, progress)

        build_folder(path, fingerprint, write, replace=replace)
        return cls(path, preprocessor)

    def __len__(self) -> int:
        return len(self._ids["source"].lengths)

    def lengths(self, side: str, sampling: float | None = None) -> np.ndarray:
        """Steps of each row, eos included: (N,) int32.

        With `sampling`, room for nearly all of the segmentations that are drawn, which are longer
        than the best: the ratio that 95 % of a thousand rows stay under.
        """
        lengths = self._ids[side].lengths
        if sampling is None:
            return lengths
        some = np.linspace(0, len(self) - 1, min(len(self), 1000)).astype(int)
        drawn = self._draw(side, some, sampling, seed=0).lengths
        ratio = np.quantile(drawn / lengths[some], 0.95)
        limit = getattr(self.preprocessor, f"max_{side}_length")
        return np.minimum(np.ceil(lengths * ratio), limit).astype(np.int32)

    def rows(
        self,
        side: str,
        indices: np.ndarray,
        width: int,
        sampling: float | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """The ids of some rows, padded: (n, width) int32.

        Args:
            sampling: draw segmentations, as `Tokenizer.encode` does. A row whose drawn one is
                longer than `width` keeps its best.
            seed: of the draw, with which it is repeatable.
        """
        rows = pad_ragged(self._ids[side].take(indices), width)
        if sampling is None:
            return rows
        drawn = self._draw(side, indices, sampling, seed)
        fits = drawn.lengths <= width
        chosen = Ragged(
            drawn.ids[np.repeat(fits, drawn.lengths)],
            np.concatenate([[0], np.cumsum(drawn.lengths[fits])]),
        )
        rows[fits] = pad_ragged(chosen, width)
        return rows

    def _draw(self, side, indices, sampling, seed):
        if not len(self._texts[side].lengths):
            raise UserError(f"{self.path} was built without the text that sampling needs.")
        lines = row_texts(self._texts[side].take(indices))
        return self.preprocessor.tokenizer(side).encode_flat(lines, sampling, seed)


def _write(folder, corpus, preprocessor, keep_text, threads, progress) -> dict:
    problems, pairs = Problems(), 0
    unknown = {side: UnknownUnits(f"{side} texts") for side in SIDES}
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
        for chunk, rows in mapped(encode, corpus.chunks(), threads):
            chunk, rows = _within_limits(chunk, rows, preprocessor, problems)
            for side, writer in writers.items():
                writer.add(rows[side])
                _count_unknown(unknown[side], rows[side], getattr(chunk, side), preprocessor, side)
            for side, writer in texts.items():
                writer.add(text_rows(preprocessor.normalize(getattr(chunk, side), side)))
            pairs += len(chunk.lines)
            progress(pairs)
    problems.merge(corpus.problems)
    if not pairs:
        raise nothing_left("pair", problems)
    missing = {side: unknown[side].to_dict() for side in SIDES}
    return {"dtype": dtype, "problems": problems.to_dict(), "unknown": missing}


def unknown_of(corpus: Corpus, preprocessor: TextPreprocessor) -> dict[str, UnknownUnits]:
    """By side, what of the texts of a corpus the vocabulary lacks."""
    unknown = {side: UnknownUnits(f"{side} texts") for side in SIDES}
    for chunk in corpus.chunks():
        for side in SIDES:
            texts = getattr(chunk, side)
            rows = preprocessor.encode(texts, side)
            _count_unknown(unknown[side], rows, texts, preprocessor, side)
    return unknown


def _count_unknown(unknown: UnknownUnits, rows: Ragged, texts, preprocessor, side) -> None:
    """Count the texts of some rows; only those with unknown ids are looked at again."""
    ends = np.concatenate([[0], np.cumsum(rows.ids == UNKNOWN)])[rows.offsets]
    affected = [texts[index] for index in np.flatnonzero(np.diff(ends))]
    for units in preprocessor.unknown(affected, side):
        unknown.add(units)
    unknown.texts += len(texts) - len(affected)


def _within_limits(chunk, rows, preprocessor, problems):
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
    kept = {
        side: Ragged(
            some.ids[np.repeat(fits, some.lengths)],
            np.concatenate([[0], np.cumsum(some.lengths[fits])]),
        )
        for side, some in rows.items()
    }
    return chunk.take(np.flatnonzero(fits).tolist()), kept
