"""Pictures and captions, decoded (and encoded) once, in flat files of which any can be read."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasseq.data.corpus import Problems, digest
from kerasseq.data.folder import build_folder, groups, mapped, nothing_left, options_of, read_meta
from kerasseq.data.pictures.captioned import Captioned, CaptionedCorpus
from kerasseq.data.rows import Rows, RowWriter, joined, row_texts, text_rows
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import FileError
from kerasseq.preprocessing.captioning import CaptionPreprocessor
from kerasseq.preprocessing.padding import pad_ragged

FORMAT = 2  # of the files; a store with another is built anew

_GROUP = 16  # pictures that a thread decodes at a time


class FrozenEncoder(NamedTuple):
    """What turns pictures into features that no training changes.

    Attributes:
        function: of what `CaptionPreprocessor.features` gives, to values (N, S, D), which are kept
            as float16, and mask (N, S), True = real. N is always `rows`, so that it compiles once
            for each number of frames; rows may be copies that only fill the batch.
        digest: tells it from others: the backbone, its weights, what it pools.
        rows: pictures a call.
    """

    function: Callable[[dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]
    digest: str
    rows: int = 32


class PictureStore:
    """The frames (uint8), or features (float16), and the captions of N pictures, on disk.

    Only lengths (8 bytes a picture and 8 a caption) are held in memory.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the one it was built with.

    Attributes:
        problems: what was left out of the corpus.
        unknown: the words (or characters) of the captions that the vocabulary lacks.
        encoded: whether it holds features, not pixels.
        starts: (N + 1,) int64; the captions of picture i are `starts[i]` to `starts[i + 1]`.
    """

    def __init__(self, path: str | os.PathLike, preprocessor: CaptionPreprocessor):
        self.path, self.preprocessor = Path(path), preprocessor
        meta = read_meta(self.path)
        self.problems = Problems.from_dict(meta["problems"])
        self.unknown = UnknownUnits.from_dict(meta["unknown"])
        dtype, self.encoded = meta["dtype"], meta["dtype"] == "float16"
        self._values = Rows(self.path / "values", dtype, dtype, tuple(meta["shape"]))
        self._targets = Rows(self.path / "targets", "int32")
        self._texts = Rows(self.path / "texts", "uint8")
        counts = np.fromfile(self.path / "counts", np.int32)
        self.starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    @classmethod
    def build(
        cls,
        path: str | os.PathLike,
        corpus: CaptionedCorpus,
        preprocessor: CaptionPreprocessor,
        *,
        encoder: FrozenEncoder | None = None,
        replace: bool = True,
        threads: int | None = None,
        progress: Callable[[int], None] = lambda pictures: None,
    ) -> "PictureStore":
        """Decode a corpus, or open what was built from the same one with the same options.

        Pictures that cannot be used, and captions of nothing or of more than `max_target_length`
        pieces, are left out and counted. The folder appears whole or not at all.

        Args:
            encoder: whose features are kept, in the pixels' stead; threads decode while it runs.
            replace: whether what was built before may have held other pictures.
            threads: that decode; None takes all cores of this process.
            progress: called with the number of pictures stored so far.

        Raises:
            UserError: if no picture is left, the disk is full, or the pictures are others than
                before and must not be.
        """
        path = Path(path)
        parts = ["picture", str(FORMAT), corpus.fingerprint(), options_of(preprocessor)]
        fingerprint = digest([*parts, encoder.digest if encoder else ""])

        def write(folder: Path) -> dict:
            return _write(folder, corpus, preprocessor, encoder, threads, progress)

        build_folder(path, fingerprint, write, replace=replace, what="pictures")
        return cls(path, preprocessor)

    def __len__(self) -> int:
        return len(self._values.lengths)

    @property
    def counts(self) -> np.ndarray:
        """(N,) captions of each picture."""
        return np.diff(self.starts)

    def lengths(self) -> np.ndarray:
        """(N,) int32 frames of each picture, or steps of its features."""
        return self._values.lengths

    def caption_lengths(self) -> np.ndarray:
        """(captions,) int32 labels of each caption."""
        return self._targets.lengths

    def target_lengths(self) -> np.ndarray:
        """(N,) int32 labels of each picture's longest caption."""
        return np.maximum.reduceat(self._targets.lengths, self.starts[:-1])

    def features(self, indices: np.ndarray, width: int | None = None) -> dict[str, np.ndarray]:
        """{"values", "mask" (n, width) bool} of some pictures, padded with zeros.

        Values are frames (n, width, H, W, 3) uint8, or features (n, width, D) float16.

        Args:
            width: frames or steps; None takes those of the longest.
        """
        rows = self._values.take(np.asarray(indices))
        width = int(rows.lengths.max(initial=1)) if width is None else width
        mask = np.arange(width) < rows.lengths[:, None]
        return {"values": pad_ragged(rows, width), "mask": mask}

    def labels(self, captions: np.ndarray, width: int) -> np.ndarray:
        """The labels of some captions, numbered as `starts` has it, padded: (n, width) int32."""
        return pad_ragged(self._targets.take(np.asarray(captions)), width)

    def references(self, indices: np.ndarray) -> list[list[str]]:
        """All captions of some pictures, normalised."""
        spans = [np.arange(self.starts[i], self.starts[i + 1]) for i in np.asarray(indices)]
        if not spans:
            return []
        texts = iter(row_texts(self._texts.take(np.concatenate(spans))))
        return [[next(texts) for _ in span] for span in spans]


class _Decoded(NamedTuple):
    """The pictures of a group that can be used, and what is wrong with the others."""

    clips: list[np.ndarray]
    targets: list[list[np.ndarray]]
    texts: list[list[str]]
    problems: list[tuple[str, int, str, str]]


def _write(folder, corpus, preprocessor, encoder, threads, progress) -> dict:
    problems, unknown, count = Problems(), UnknownUnits("captions"), 0
    dtype = "float16" if encoder else "uint8"
    shape: tuple[int, ...] = (*preprocessor.size, 3)
    tokenizer = preprocessor.tokenizer("target")
    with contextlib.ExitStack() as stack:
        read = stack.enter_context(corpus.reader(preprocessor.size, preprocessor.frames))
        values, targets, texts = (
            stack.enter_context(RowWriter(folder / name, kind))
            for name, kind in (("values", dtype), ("targets", "int32"), ("texts", "uint8"))
        )
        counts = stack.enter_context(open(folder / "counts", "wb"))

        def decode(group: list[Captioned]) -> _Decoded:
            return _decoded(group, read, preprocessor)

        size = encoder.rows if encoder else _GROUP
        for _, some in mapped(decode, groups(corpus, size), threads):
            for problem in some.problems:
                problems.add(*problem)
            if some.clips:
                rows = _encoded(some.clips, preprocessor, encoder) if encoder else some.clips
                shape = rows[0].shape[1:]
                values.add(joined(rows))
                targets.add(joined([ids for row in some.targets for ids in row]))
                captions = [text for row in some.texts for text in row]
                texts.add(text_rows(captions))
                np.array([len(row) for row in some.texts], np.int32).tofile(counts)
                for units in map(tokenizer.unknown, captions):
                    unknown.add(units)
            count += len(some.clips)
            progress(count)
    problems.merge(corpus.problems)
    if not count:
        raise nothing_left("picture", problems)
    return {
        "problems": problems.to_dict(),
        "unknown": unknown.to_dict(),
        "dtype": dtype,
        "shape": list(shape),
    }


def _decoded(group, read, preprocessor) -> _Decoded:
    some = _Decoded([], [], [], [])
    for picture in group:
        where = picture.place, picture.line
        targets, texts = [], []
        rows = preprocessor.encode(picture.texts)
        labels = np.split(rows.ids, rows.offsets[1:-1])
        for ids, text in zip(labels, preprocessor.normalize(picture.texts), strict=True):
            if kind := _unfit(ids, preprocessor):
                some.problems.append((*where, kind, picture.path))
            else:
                targets.append(ids)
                texts.append(text)
        if not targets:
            continue
        try:
            clip = read(picture)
        except FileError as error:
            some.problems.append((*where, error.kind, picture.path))
            continue
        some.clips.append(clip)
        some.targets.append(targets)
        some.texts.append(texts)
    return some


def _unfit(ids: np.ndarray, preprocessor: CaptionPreprocessor) -> str | None:
    if len(ids) == 1:  # eos
        return "nothing is left of the caption"
    limit = preprocessor.max_target_length
    return f"a caption of more than {limit} pieces" if len(ids) > limit else None


def _encoded(clips, preprocessor, encoder) -> list[np.ndarray]:
    """The features of some pictures, each (S, D) float16."""
    filling = [clips[0]] * (encoder.rows - len(clips))
    values, mask = encoder.function(preprocessor.pad_clips([*clips, *filling]))
    values, mask = np.asarray(values), np.asarray(mask, bool)
    return [values[row][mask[row]].astype(np.float16) for row in range(len(clips))]
