"""What can be wrong with data, how often it is so, and the worst examples of it."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

WORST = 10
"""The most examples that are named of one finding, and of all together."""

_AT_FIRST = 3  # examples of one finding among the worst of all, before those of other findings


class Check(NamedTuple):
    """A thing that can be wrong with an example.

    Attributes:
        severity: 3 for what makes an example or a score useless, 2 for what harms a model, 1 for
            what may be as it should be.
        wrong: what is wrong with one example.
        remedy: what to do.
    """

    severity: int
    wrong: str
    remedy: str = ""


CHECKS = {
    "left_out": Check(3, "cannot be used, and is left out"),
    "unreadable": Check(3, "the file cannot be read, and a training leaves it out"),
    "silent": Check(3, "there is no sound in it", "Take it off the list."),
    "source_in_training": Check(
        3,
        "what it reads is in the training part too",
        "Take these out of one of the parts: their scores say little about new ones.",
    ),
    "too_long_for_ctc": Check(
        3,
        "the transcript has more characters than CTC can write in the length of the sound, which "
        "is one in 40 ms, and 40 ms between two that are equal",
        "See whether text and sound belong together; if they do, take words or subwords as units "
        "(tokenizer.kind), or --model attention.",
    ),
    "speaker_in_training": Check(
        2,
        "the training part has other recordings of the speaker",
        "Scores say little about new speakers.",
    ),
    "encoding": Check(
        2,
        "the text looks like UTF-8 that was read in another encoding (Ã¼ for ü)",
        "Write the file anew from its source.",
    ),
    "nearly_empty": Check(2, "there is less than 0.1 s of sound in it", "Listen to it."),
    "one_colour": Check(2, "the picture is of one colour", "Look at it."),
    "clipped": Check(2, "the sound is clipped", "Record at a lower level if you can."),
    "ratio": Check(
        2,
        "one side is far longer for the other than it usually is",
        "See whether the sides belong together.",
    ),
    "pace": Check(
        2,
        "the transcript is far longer or shorter for its sound than it usually is",
        "See whether text and sound belong together.",
    ),
    "same_file": Check(2, "a file with another name has the same content"),
    "too_long": Check(
        2,
        "longer than 20 s",
        "A training leaves these out: cut them, or set data.max_seconds.",
    ),
    "tiny": Check(2, "the picture has fewer than 32 rows or columns"),
    "duplicate": Check(1, "an earlier one of its part has the same source and text"),
    "copy": Check(1, "the target is the source, word for word"),
    "text_in_training": Check(1, "the training part has the same text"),
    "odd_characters": Check(
        1, "there are odd characters in it", "A normalisation may remove them."
    ),
}
"""All checks by their names; the names stand in the JSON output."""


class Item(NamedTuple):
    """An example that a check objects to.

    Attributes:
        place: the list that has it.
        line: its line, from 1.
        why: what is wrong with it.
    """

    place: str
    line: int
    why: str


@dataclass
class Finding:
    """What a check says of a part.

    Attributes:
        check: the name of the check.
        part: "train", "valid" or "test".
        of: the number of examples that were looked at.
        examples: what the examples are called: "recordings".
        count: the number of examples that it objects to.
        notes: more that the sentence says.
    """

    check: str
    part: str
    of: int
    examples: str
    count: int = 0
    notes: list[str] = field(default_factory=list)
    _heap: list[tuple[float, int, Item]] = field(default_factory=list, repr=False)

    def add(self, badness: float, place: str, line: int, why: str) -> None:
        """Counts an example, and keeps it if it is among the worst.

        Args:
            badness: larger is worse.
            place: the list that has the example.
            line: its line, from 1.
            why: what is wrong with it.
        """
        self.count += 1
        # The first of equally bad examples stay, by the second number.
        heapq.heappush(self._heap, (badness, -self.count, Item(place, line, why)))
        if len(self._heap) > WORST:
            heapq.heappop(self._heap)

    @property
    def severity(self) -> int:
        """From 1, which may be as it should be, to 3, which is useless."""
        return CHECKS[self.check].severity

    def items(self) -> list[Item]:
        """Returns the worst examples, the worst first; at most ten."""
        return [item for *_, item in sorted(self._heap, reverse=True)]


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings that object to something, the worst first."""
    some = [finding for finding in findings if finding.count]
    return sorted(some, key=lambda one: (-one.severity, -one.count / max(one.of, 1)))


def write_sentences(findings: Iterable[Finding], names: Mapping[str, str]) -> list[str]:
    """Returns one or two sentences for each check that objects to something, the worst first.

    Args:
        findings: of all parts.
        names: of the parts, for people.
    """
    groups: dict[str, list[Finding]] = {}
    for one in rank(findings):
        groups.setdefault(one.check, []).append(one)
    sentences = []
    for check, some in groups.items():
        some.sort(key=lambda one: list(names).index(one.part))
        counts = [f"{one.count:,} of {one.of:,} {names[one.part]}" for one in some]
        notes = ", ".join(dict.fromkeys(note for one in some for note in one.notes))
        _, wrong, remedy = CHECKS[check]
        text = f"{', '.join(counts)} {some[0].examples}: {wrong}{notes and f' ({notes})'}."
        sentences.append(f"{text} {remedy}".strip())
    return sentences


def find_worst(findings: Iterable[Finding]) -> list[tuple[Finding, Item]]:
    """Returns the ten worst examples: some of each finding, the worst finding first."""
    named: set[tuple[str, int]] = set()
    worst: list[tuple[Finding, Item]] = []
    ranked = [(finding, finding.items()) for finding in rank(findings)]
    for first, end in ((0, _AT_FIRST), (_AT_FIRST, WORST)):
        for finding, items in ranked:
            for item in items[first:end]:
                if (item.place, item.line) not in named and len(worst) < WORST:
                    named.add((item.place, item.line))
                    worst.append((finding, item))
    return sorted(worst, key=lambda pair: -pair[0].severity)
