"""Inspects the parts of some data, and makes lines and JSON of the result."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasseq.data.corpus import Corpus
from kerasseq.data.facts import Survey, survey
from kerasseq.data.inspection.findings import (
    CHECKS,
    Finding,
    find_worst,
    rank,
)
from kerasseq.data.inspection.overlap import (
    Index,
    find_duplicates,
    find_equal_files,
    find_shared,
    find_shared_speakers,
)
from kerasseq.data.inspection.pictures import check_pictures
from kerasseq.data.inspection.sounds import Progress, check_headers, check_samples
from kerasseq.data.inspection.texts import check_texts, find_odd_characters
from kerasseq.data.text.facts import TextFacts
from kerasseq.errors import UserError

MAX_DECODED = 2000
"""The most recordings or pictures of a part that are decoded."""

EXAMPLES = {"text": "pairs", "sound": "recordings", "picture": "pictures"}
"""What the examples of each kind are called."""

_NAMED = re.compile(r"(.*?):(\d+): (.*)", re.DOTALL)

PARTS = {"train": "training", "valid": "validation", "test": "test"}
"""What the parts are called."""

QUANTILES = {"least": 0, "5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95}
QUANTILES["most"] = 1


@dataclass
class Inspection:
    """The result of an inspection.

    Attributes:
        kind: "text", "sound" or "picture".
        name: the name of the data.
        surveys: by the name of a part.
        findings: what is wrong, the worst first.
        decoded: by the name of a part, the number of recordings or pictures that were decoded.
        errors: why a list or a part cannot be read, by its name.
    """

    kind: str
    name: str
    surveys: dict[str, Survey] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    decoded: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def inspect(
    kind: str,
    name: str,
    parts: Mapping[str, Corpus],
    progress: Progress = lambda items, total, unit: items,
    errors: Mapping[str, str] | None = None,
) -> Inspection:
    """Inspects the parts of some data.

    Args:
        kind: "text", "sound" or "picture".
        name: of the data.
        parts: the corpora; the training part is "train".
        progress: wraps (items, number of items, unit), and shows how many are decoded.
        errors: why some of the data cannot be opened.

    Raises:
        UserError: if no part can be read.
    """
    result = Inspection(kind, name, errors=dict(errors or {}))
    findings: list[Finding] = []
    indices: dict[str, Index] = {}
    for part, corpus in parts.items():
        try:
            facts = survey(corpus)
            findings += _check_part(part, corpus, facts, result, progress)
            indices[part] = Index(corpus)
        except UserError as error:
            result.errors[part] = str(error)
            continue
        result.surveys[part] = facts
        findings.append(find_duplicates(part, indices[part], EXAMPLES[kind]))
    if not result.surveys:
        raise UserError(next(iter(result.errors.values())))
    findings += _compare(kind, result.surveys, indices)
    if kind != "text":
        some = {part: parts[part] for part in result.surveys}
        findings += find_equal_files(some, EXAMPLES[kind])
    result.findings = rank(findings)
    return result


def _check_part(
    part: str, corpus: Any, facts: Survey, result: Inspection, progress: Progress
) -> Iterable[Finding]:
    """Returns the findings of one part by itself."""
    findings = check_texts(part, corpus, facts, EXAMPLES[result.kind])
    if facts.problems:
        of = facts.examples + len(facts.problems)
        left_out = Finding("left_out", part, of, "entries")
        left_out.notes = [kind for kind, _ in facts.problems.counts.most_common(3)]
        for text in facts.problems.named:
            if match := _NAMED.fullmatch(text):
                left_out.add(0, match[1], int(match[2]), match[3])
        left_out.count = len(facts.problems)
        findings.append(left_out)
    if result.kind == "text":
        return findings
    examples = list(corpus)
    step = np.linspace(0, len(examples) - 1, min(len(examples), MAX_DECODED))
    some = [examples[place] for place in np.unique(step.astype(int))]
    if result.kind == "sound":
        findings += check_headers(part, examples, facts)
        more, _ = check_samples(part, some, progress)
    else:
        more, _ = check_pictures(part, some, progress)
    result.decoded[part] = len(some)
    return findings + more


def _compare(
    kind: str, surveys: Mapping[str, Survey], indices: Mapping[str, Index]
) -> Iterator[Finding]:
    """Yields what the other parts share with the training part."""
    for part in surveys:
        if part != "train" and "train" in surveys:
            yield from find_shared(part, indices[part], indices["train"], EXAMPLES[kind])
            mine, theirs = surveys[part].sound, surveys["train"].sound
            if mine and theirs:
                counts = mine.speaker_counts, theirs.speaker_counts
                yield find_shared_speakers(part, *counts, mine.recordings)


def list_lengths(facts: Survey) -> dict[str, np.ndarray]:
    """Returns the lengths that a part has: (N,) of each kind, without those that are not known."""
    lengths: dict[str, np.ndarray] = {}
    if facts.sound:
        seconds = facts.sound.seconds_each
        lengths["seconds"] = seconds[~np.isnan(seconds)]
    sides = {"": facts.target}
    if facts.source:
        sides = {"source ": facts.source, "target ": facts.target}
    for side, texts in sides.items():
        lengths[f"{side}words"] = texts.words_each
        lengths[f"{side}characters"] = texts.characters_each
    if facts.pictures:
        lengths["captions"] = facts.pictures.captions_each
    return {name: values for name, values in lengths.items() if len(values)}


def to_dict(result: Inspection) -> dict[str, Any]:
    """Returns the result as values that JSON can hold."""
    return {
        "kind": result.kind,
        "name": result.name,
        "parts": {
            part: _part_to_dict(facts) | {"decoded": result.decoded.get(part, 0)}
            for part, facts in result.surveys.items()
        },
        "findings": [
            {
                "check": one.check,
                "part": one.part,
                "severity": one.severity,
                "count": one.count,
                "of": one.of,
                "wrong": CHECKS[one.check].wrong,
                "remedy": CHECKS[one.check].remedy,
                "notes": one.notes,
                "worst": [item._asdict() for item in one.items()],
            }
            for one in result.findings
        ],
        "worst": [
            {"check": one.check, "part": one.part, **item._asdict()}
            for one, item in find_worst(result.findings)
        ],
        "errors": result.errors,
    }


def _part_to_dict(facts: Survey) -> dict[str, Any]:
    row: dict[str, Any] = {"examples": facts.examples, "left_out": facts.problems.to_dict()}
    for side in ("source", "target"):
        if texts := getattr(facts, side):
            row[side] = _texts_to_dict(texts)
    for name in ("sound", "pictures"):
        if some := getattr(facts, name):
            hidden = ("seconds_each", "speaker_counts", "captions_each")
            values = {key: value for key, value in vars(some).items() if key not in hidden}
            row[name] = {key: _round(value) for key, value in values.items()}
    row["quantiles"] = {
        name: {label: _round(value) for label, value in find_quantiles(values).items()}
        for name, values in list_lengths(facts).items()
    }
    return row


def _texts_to_dict(texts: TextFacts) -> dict[str, Any]:
    hidden = ("word_counts", "character_counts", "words_each", "characters_each")
    values = {key: _round(value) for key, value in vars(texts).items() if key not in hidden}
    odd = [one._asdict() for one in find_odd_characters(texts.character_counts)]
    return {**values, "odd_characters": odd}


def find_quantiles(values: np.ndarray) -> dict[str, float]:
    """Returns the quantiles of lengths by their labels."""
    return {label: float(np.quantile(values, share)) for label, share in QUANTILES.items()}


def _round(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
