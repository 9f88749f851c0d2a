"""What examples share with others: sources, texts, files, speakers."""

import hashlib
import os
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from kerasseq.data.corpus import Corpus
from kerasseq.data.inspection.findings import Finding
from kerasseq.data.inspection.texts import read_texts
from kerasseq.data.text.corpus import PairCorpus

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
        self._firsts: list[int] = []  # the first example of each run from one list
        self._places: list[str] = []
        lines, sources, texts = array("q"), array("q"), array("q")
        folds = isinstance(corpus, PairCorpus)  # the names of files are not folded
        for some in read_texts(corpus):
            for place, line in some.places:
                if not self._places or self._places[-1] != place:
                    self._firsts.append(len(lines))
                    self._places.append(place)
                lines.append(line)
            sources.extend(map(hash, map(_fold, some.sources) if folds else some.sources))
            texts.extend(map(hash, map(_fold, map("\n".join, some.targets))))
        self._lines, self.sources, self.texts = (
            np.frombuffer(values, np.int64) if values else np.zeros(0, np.int64)
            for values in (lines, sources, texts)
        )
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


def _fold(text: str) -> str:
    return text.strip().casefold()


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


def find_shared_speakers(
    part: str, speakers: Mapping[str, int], training: Mapping[str, int], of: int
) -> Finding:
    """Counts the recordings of a part whose speakers are in the training part.

    Args:
        part: the name of the part.
        speakers: maps each of its speakers to the number of recordings.
        training: the same of the training part.
        of: the number of recordings of the part.
    """
    shared = {speaker: count for speaker, count in speakers.items() if speaker in training}
    finding = Finding("speaker_in_training", part, of, "recordings", sum(shared.values()))
    if shared:
        finding.notes = [f"{len(shared):,} of {len(speakers):,} speakers"]
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
