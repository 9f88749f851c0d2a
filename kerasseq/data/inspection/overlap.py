"""What examples share with others: sources, texts, files, speakers."""

import hashlib
import os
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from kerasseq.data.corpus import Corpus
from kerasseq.data.facts import Survey
from kerasseq.data.inspection.findings import Finding
from kerasseq.data.inspection.texts import read_texts

_HASHED = 1 << 16  # bytes of a file that tell whether two files of a size are equal
_MAX_HASHED = 20_000


class Index:
    """The sources and texts of a part as 64-bit hashes, and where each example stands.

    Texts that differ in upper and lower case or in outer white space are equal. It takes some 30
    bytes for each example.

    Args:
        corpus: the examples.

    Attributes:
        sources: (N,) int64: what a model reads.
        texts: (N,) int64: the targets of each example together.
        pairs: (N,) int64: both.
    """

    def __init__(self, corpus: Corpus):
        self._firsts: list[int] = []
        self._places: list[str] = []
        lines: list[np.ndarray] = []
        sources: list[np.ndarray] = []
        texts: list[np.ndarray] = []
        count = 0
        folds = corpus.example == "pair"  # paths are not folded
        buffer: list[tuple[str, int, int, int]] = []

        def flush() -> None:
            if buffer:
                lines.append(np.array([row[1] for row in buffer], np.int64))
                sources.append(np.array([row[2] for row in buffer], np.int64))
                texts.append(np.array([row[3] for row in buffer], np.int64))
                buffer.clear()

        for some in read_texts(corpus):
            for (place, line), source, targets in zip(*some, strict=True):
                if not self._places or self._places[-1] != place:
                    self._firsts.append(count)
                    self._places.append(place)
                source = source.strip().casefold() if folds else source
                text = "\n".join(target.strip().casefold() for target in targets)
                buffer.append((place, line, hash(source), hash(text)))
                count += 1
            if len(buffer) >= 8192:
                flush()
        flush()
        empty = np.zeros(0, np.int64)
        self._lines = np.concatenate([empty, *lines])
        self.sources = np.concatenate([empty, *sources])
        self.texts = np.concatenate([empty, *texts])
        self.pairs = self.sources * np.int64(1_000_003) ^ self.texts

    def __len__(self) -> int:
        return len(self._lines)

    def place(self, index: int) -> tuple[str, int]:
        """Returns the list and the line of an example."""
        return self._places[bisect_right(self._firsts, index) - 1], int(self._lines[index])

    def name(self, index: int) -> str:
        """Returns "file:line" of an example."""
        place, line = self.place(index)
        return f"{os.path.basename(place)}:{line}"


def find_duplicates(part: str, index: Index, examples: str) -> Finding:
    """Finds the examples of a part that repeat an earlier one, with the same text."""
    finding = Finding("duplicate", part, len(index), examples)
    _, first, inverse = np.unique(index.pairs, return_index=True, return_inverse=True)
    originals = first[inverse]
    for place in np.flatnonzero(originals != np.arange(len(index))):
        finding.add(0, *index.place(place), f"repeats {index.name(originals[place])}")
    return finding


def find_shared(part: str, index: Index, training: Index, examples: str) -> list[Finding]:
    """Finds the examples of a part whose sources, or whose texts, are in the training part."""
    findings = []
    for check, what in (("source_in_training", "sources"), ("text_in_training", "texts")):
        mine, theirs = getattr(index, what), getattr(training, what)
        finding = Finding(check, part, len(index), examples)
        values, first = np.unique(theirs, return_index=True)
        slots = np.searchsorted(values, mine).clip(max=max(len(values) - 1, 0))
        shared = values[slots] == mine if len(values) else np.zeros(len(mine), bool)
        if what == "texts":  # which may well be so: an example says no more than the number
            finding.count = int(shared.sum())
            shared[:] = False
        for place in np.flatnonzero(shared):
            why = f"the {what.rstrip('s')} is that of {training.name(first[slots[place]])}"
            finding.add(0, *index.place(place), why)
        findings.append(finding)
    return findings


def find_shared_speakers(part: str, facts: Survey, training: Survey) -> Finding:
    """Counts the recordings of a part whose speakers are in the training part."""
    mine, theirs = (
        some.sound.speaker_counts if some.sound else Counter() for some in (facts, training)
    )
    shared = {speaker: count for speaker, count in mine.items() if speaker in theirs}
    finding = Finding("speaker_in_training", part, facts.examples, "recordings")
    finding.count = sum(shared.values())
    if shared:
        finding.notes = [f"{len(shared):,} of {len(mine):,} speakers"]
    return finding


def find_equal_files(corpora: Mapping[str, Corpus], examples: str) -> list[Finding]:
    """Finds files of equal content under different names, within parts and across them.

    Files of equal size are equal if their first 64 KiB are. Of more than 20,000 files the first
    ones are compared.

    Args:
        corpora: the parts, the training part first.
        examples: what the examples are called.
    """
    sizes: dict[int, list[tuple[str, str, str, int]]] = defaultdict(list)
    seen: set[str] = set()
    counts: Counter[str] = Counter()
    for part, corpus in corpora.items():
        for example in corpus:
            counts[part] += 1
            if example.path not in seen and len(seen) < _MAX_HASHED:
                seen.add(example.path)
                try:
                    size = os.path.getsize(example.path)
                except OSError:
                    continue
                sizes[size].append((part, example.path, example.place, example.line))
    findings = {part: Finding("same_file", part, counts[part], examples) for part in corpora}
    for some in sizes.values():
        if len(some) < 2:
            continue
        first: dict[bytes, tuple[str, str, str, int]] = {}
        for part, path, place, line in some:
            original = first.setdefault(_digest(path), (part, path, place, line))
            if original[1] != path:
                why = f"its file is equal to that of {os.path.basename(original[2])}:{original[3]}"
                where = "" if original[0] == part else f" of the {original[0]} part"
                findings[part].add(bool(where), place, line, why + where)
    return list(findings.values())


def _digest(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return hashlib.blake2b(file.read(_HASHED), digest_size=16).digest()
    except OSError:
        return path.encode("utf-8", "surrogateescape")
