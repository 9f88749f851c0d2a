"""Corpora on disk: built once, in flat files of which any row can be read."""

import contextlib
import functools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from kerasseq.data.corpus import Corpus, digest
from kerasseq.data.examples import Example
from kerasseq.data.folder import build_folder, read_meta
from kerasseq.data.parallel import batched, map_in_threads
from kerasseq.data.problems import Problems
from kerasseq.data.rows import Rows, RowWriter, concatenate_rows, decode_texts, encode_texts
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import FileError
from kerasseq.preprocessing.padding import pad_ragged

_FORMAT = 4  # of the files; a store of another format is built anew


class Store:
    """A folder with an encoded corpus: the base of all stores.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the preprocessor that the store was built with.

    Attributes:
        problems: the entries of the corpus that were left out.
    """

    example: ClassVar[str]

    def __init__(self, path: str | os.PathLike, preprocessor: Any):
        self.path, self.preprocessor = Path(path), preprocessor
        self._meta = read_meta(self.path)
        self.problems = Problems.from_dict(self._meta["problems"])

    @classmethod
    def build(
        cls,
        path: str | os.PathLike,
        corpus: Corpus,
        preprocessor: Any,
        *,
        replace: bool = True,
        threads: int | None = None,
        progress: Callable[[int], None] = lambda examples: None,
        **options,
    ) -> Self:
        """Encodes a corpus, or opens the store that was built of it with the same options.

        Examples that cannot be used or are too long are left out and counted. The folder appears
        whole or not at all.

        Args:
            path: the folder.
            corpus: the examples.
            preprocessor: encodes the examples.
            replace: whether an earlier store may have other examples.
            threads: the number of threads that read and encode; None takes one for each core.
            progress: is called with the number of examples that are stored so far.
            options: of this kind of store; see the class.

        Raises:
            UserError: if no example is left, if the disk is full, or if the examples have changed
                and `replace` is false.
        """
        config = preprocessor.get_config()
        encoding = {key: config[key] for key in config if key not in ("name", "trainable")}
        name, write = cls._writer(preprocessor, **options)
        parts = [cls.__name__, str(_FORMAT), corpus.fingerprint(), json.dumps(encoding), name]

        def fill(folder: Path) -> dict:
            problems = Problems()
            count, meta = write(folder, corpus, problems, threads, progress)
            problems.merge(corpus.problems)
            if not count:
                raise problems.to_error(cls.example)
            return {**meta, "problems": problems.to_dict()}

        path, contents = Path(path), f"{cls.example}s"
        build_folder(path, digest(parts), fill, replace=replace, contents=contents)
        return cls(path, preprocessor)

    @classmethod
    def _writer(cls, preprocessor: Any, **options) -> tuple[str, Callable]:
        """Returns a text that identifies the options of `build`, and a function that writes.

        The function takes (folder, corpus, problems, threads, progress). It fills the folder,
        counts what it leaves out in `problems`, and returns the number of examples and what
        `_meta` is to have of them.
        """
        raise NotImplementedError


class Format(NamedTuple):
    """How the values of an `ExampleStore` are made.

    Attributes:
        read_options: the arguments of `Examples.reader`.
        dtype: of the values on disk.
        convert: maps the decoded files of a group to the values that are stored.
        check: raises a `FileError` for a decoded file that cannot be used.
        group_size: the number of files that a thread decodes, and `convert` is given, at a time.
        name: distinguishes this format from others of the same kind of store.
    """

    read_options: tuple
    dtype: str
    convert: Callable[[list[np.ndarray]], list[np.ndarray]] = lambda values: values
    check: Callable[[Example, np.ndarray], None] = lambda example, values: None
    group_size: int = 16
    name: str = ""


class ExampleStore(Store):
    """The values, target ids and normalised texts of N examples, on disk.

    Only lengths are in memory: 12 bytes for each example and 8 for each text. A recording is an
    example with one text, a picture can have several.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the preprocessor that the store was built with.

    Attributes:
        problems: the entries of the corpus that were left out.
        unknown: the units of the texts that are not in the vocabulary.
        starts: (N + 1,) int64; example i has the texts `starts[i]` to `starts[i + 1]`.
    """

    text: ClassVar[str]

    def __init__(self, path: str | os.PathLike, preprocessor: Any):
        super().__init__(path, preprocessor)
        self.unknown = UnknownUnits.from_dict(self._meta["unknown"])
        dtype, shape = self._meta["dtype"], tuple(self._meta["shape"])
        self._values = Rows(self.path / "values", dtype, dtype, shape)
        self._targets = Rows(self.path / "targets", "int32")
        self._texts = Rows(self.path / "texts", "uint8")
        counts = np.fromfile(self.path / "counts", np.int32)
        self.starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    @classmethod
    def _format(cls, preprocessor: Any, **options) -> Format:
        """Returns how the values are made."""
        raise NotImplementedError

    @classmethod
    def _writer(cls, preprocessor: Any, **options) -> tuple[str, Callable]:
        form = cls._format(preprocessor, **options)
        return form.name, functools.partial(_write, form, preprocessor, cls.text)

    def __len__(self) -> int:
        return len(self._values.lengths)

    def target_lengths(self) -> np.ndarray:
        """Returns the number of labels in the longest text of each example: (N,) int32."""
        return np.maximum.reduceat(self._targets.lengths, self.starts[:-1])

    def labels(self, texts: np.ndarray, width: int) -> np.ndarray:
        """Returns the labels of some texts, padded: (n, width) int32.

        Args:
            texts: indices of texts, as `starts` numbers them.
            width: the number of columns.
        """
        return pad_ragged(self._targets.take(np.asarray(texts)), width)

    def count_labels(self, size: int) -> np.ndarray:
        """Returns the number of each of the labels 0 to `size` - 1: (size,)."""
        return self._targets.count(size)

    def references(self, indices: np.ndarray) -> list[list[str]]:
        """Returns the normalised texts of some examples, a list for each example."""
        spans = [np.arange(self.starts[i], self.starts[i + 1]) for i in np.asarray(indices)]
        if not spans:
            return []
        texts = iter(decode_texts(self._texts.take(np.concatenate(spans))))
        return [[next(texts) for _ in span] for span in spans]


class _Encoded(NamedTuple):
    """The examples of a group that can be used, and what is wrong with the others."""

    values: list[np.ndarray]
    targets: list[np.ndarray]
    texts: list[str]
    counts: list[int]
    unknown: list[list[str]]
    problems: list[tuple[str, int, str, str]]


def _write(form, preprocessor, text, folder, corpus, problems, threads, progress):
    unknown, count, shape = UnknownUnits(f"{text}s"), 0, ()
    with contextlib.ExitStack() as stack:
        read = stack.enter_context(corpus.reader(*form.read_options))
        values, targets, texts = (
            stack.enter_context(RowWriter(folder / name, dtype))
            for name, dtype in (("values", form.dtype), ("targets", "int32"), ("texts", "uint8"))
        )
        counts = stack.enter_context(open(folder / "counts", "wb"))

        def encode(group: list[Example]) -> _Encoded:
            return _encode(group, read, preprocessor, form, text)

        for _, some in map_in_threads(encode, batched(corpus, form.group_size), threads):
            for problem in some.problems:
                problems.add(*problem)
            for units in some.unknown:
                unknown.add(units)
            if some.values:
                rows = form.convert(some.values)
                shape = rows[0].shape[1:]
                values.add(concatenate_rows(rows))
                targets.add(concatenate_rows(some.targets))
                texts.add(encode_texts(some.texts))
                np.array(some.counts, np.int32).tofile(counts)
            count += len(some.values)
            progress(count)
    return count, {"unknown": unknown.to_dict(), "dtype": form.dtype, "shape": list(shape)}


def _encode(group: Sequence[Example], read, preprocessor, form: Format, text: str) -> _Encoded:
    result = _Encoded([], [], [], [], [], [])
    texts = [some for example in group for some in example.texts]
    rows = preprocessor.encode(texts)
    labels = np.split(rows.ids, rows.offsets[1:-1])
    normalized = preprocessor.normalize(texts)
    pairs = iter(zip(labels, normalized, strict=True))
    for example in group:
        good = []
        for _ in example.texts:
            ids, line = next(pairs)
            if reason := _reason_against(ids, preprocessor, text):
                result.problems.append((example.place, example.line, reason, example.path))
            else:
                good.append((ids, line))
        if not good:
            continue
        try:
            values = read(example)
            form.check(example, values)
        except FileError as error:
            result.problems.append((example.place, example.line, error.kind, example.path))
            continue
        result.values.append(values)
        result.targets.extend(ids for ids, _ in good)
        result.texts.extend(line for _, line in good)
        result.counts.append(len(good))
    result.unknown.extend(map(preprocessor.tokenizer("target").unknown, result.texts))
    return result


def _reason_against(ids: np.ndarray, preprocessor, text: str) -> str | None:
    """Returns what is wrong with the labels of a text, if anything."""
    if len(ids) <= preprocessor.end:  # nothing, or eos alone
        return f"nothing is left of the {text}"
    limit = preprocessor.max_target_length
    return f"a {text} of more than {limit} pieces" if len(ids) > limit else None
