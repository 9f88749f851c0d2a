"""Checks of texts and of pairs of texts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kerasseq.data.corpus import Corpus
from kerasseq.data.facts import Survey
from kerasseq.data.inspection.findings import Finding
from kerasseq.data.parallel import batched
from kerasseq.data.text.corpus import PAIRS_AT_ONCE, PairCorpus

# What UTF-8 looks like if it is read as Latin-1 or Windows-1252.
_MOJIBAKE = re.compile("[ÂÃ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[\x80-\xbf™œ“”˜¦]|\ufffd")

_MARKS = set("ÂÃâ\ufffd")  # one of them is in each match

_SIGNS = "ªºµ"  # letters that are no part of a script

# Marks of Japanese, in whose texts kana and ideographs stand side by side.
_SCRIPTS = dict.fromkeys(
    ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "HALFWIDTH"), "CJK"
)

_RARE = 0.001  # the share of the letters below which a script is odd
_NAMED = 8

_MIN_FACTOR = 3.0  # a ratio is no outlier unless it is so many times the median, or a third
_MAX_DEVIATIONS = 5.0  # and as many standard deviations from it, estimated from the quartiles
_SMALL = 5  # is added to both lengths of a ratio, so that short texts may vary


class Character(NamedTuple):
    """An odd character.

    Attributes:
        character: itself.
        name: its name in Unicode.
        count: how often it comes.
    """

    character: str
    name: str
    count: int


class Texts(NamedTuple):
    """Some examples in a form that all kinds share.

    Attributes:
        places: the list and the line of each example.
        sources: what a model reads: a text, or the path of a file.
        targets: the texts of each example.
    """

    places: Sequence[tuple[str, int]]
    sources: Sequence[str]
    targets: Sequence[Sequence[str]]


def read_texts(corpus: Corpus) -> Iterator[Texts]:
    """Yields the examples of a corpus, some thousands at a time."""
    if isinstance(corpus, PairCorpus):
        for chunk in corpus.chunks():
            places = [(chunk.place, line) for line in chunk.lines]
            yield Texts(places, chunk.source, [(text,) for text in chunk.target])
        return
    for some in batched(corpus, PAIRS_AT_ONCE):
        places = [(example.place, example.line) for example in some]
        yield Texts(places, list(map(_source_of, some)), [example.texts for example in some])


def _source_of(example: Any) -> str:
    """Returns the path of a file, with the times of a part of it."""
    start, end = getattr(example, "start", 0.0), getattr(example, "end", None)
    part = f" {start} {end}" if start or end is not None else ""
    return example.path + part


def find_odd_characters(counts: Mapping[str, int]) -> list[Character]:
    """Returns characters that are seldom meant: invisible ones, and letters of other scripts.

    A letter is odd if less than one letter of a thousand is of its script. So are control and
    format characters, spaces other than the ordinary one, and characters without a name.

    Args:
        counts: maps each character to how often it comes.
    """
    scripts: Counter[str] = Counter()
    for character, count in counts.items():
        if character.isalpha():
            scripts[_script(character)] += count
    letters = scripts.total()
    odd = []
    for character, count in counts.items():
        foreign = character.isalpha() and scripts[_script(character)] < _RARE * letters
        if (foreign and character not in _SIGNS) or _is_invisible(character):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            odd.append(Character(character, name, count))
    return sorted(odd, key=lambda one: (-one.count, one.character))


def _script(letter: str) -> str:
    """Returns the first word of the name of a letter, which is mostly its script."""
    script = unicodedata.name(letter, "?").partition(" ")[0]
    return _SCRIPTS.get(script, script)


def _is_invisible(character: str) -> bool:
    if character in "\t\n\u200c\u200d\u3000":  # joiners of Persian and Hindi, Japanese space
        return False
    kind = unicodedata.category(character)
    return kind[0] == "C" or (kind[0] == "Z" and character != " ") or character == "\ufffd"


def find_outliers(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Returns how far ratios are from the usual one: (N,) floats, 0 for usual ratios.

    A ratio is an outlier if it is at least three times the median or a third of it, and five
    standard deviations of the logarithms away. An outlier's number is its distance in logarithms.

    Args:
        numerators: (N,).
        denominators: (N,); NaN where the ratio is not known.
    """
    logs = np.log(np.asarray(numerators, float)) - np.log(np.asarray(denominators, float))
    known = logs[np.isfinite(logs)]
    if len(known) < 10:
        return np.zeros(len(logs))
    first, median, third = np.quantile(known, [0.25, 0.5, 0.75])
    deviation = (third - first) / 1.349  # of a normal distribution
    bound = max(np.log(_MIN_FACTOR), _MAX_DEVIATIONS * deviation)
    distance = np.abs(np.nan_to_num(logs - median, nan=0.0, posinf=0.0, neginf=0.0))
    return np.where(distance > bound, distance, 0.0)


def check_texts(part: str, corpus: Corpus, facts: Survey, examples: str) -> list[Finding]:
    """Checks the texts of a part: their characters, their encoding and, of pairs, both sides.

    Args:
        part: the name of the part.
        corpus: its examples.
        facts: its survey.
        examples: what the examples are called.
    """
    sides = [side for side in (facts.source, facts.target) if side]
    odd = sorted({one for side in sides for one in find_odd_characters(side.character_counts)})
    suspects = [(_MOJIBAKE, "encoding", "has {!r}")]
    if odd:
        group = f"[{re.escape(''.join(one.character for one in odd))}]"
        suspects.append((re.compile(group), "odd_characters", "has U+{:04X}"))
    if not any(_MARKS & set(side.character_counts) for side in sides):
        del suspects[0]
    findings = {
        name: Finding(name, part, facts.examples, examples)
        for name in ("encoding", "odd_characters", "copy", "ratio")
    }
    ranked = sorted(odd, key=lambda one: (-one.count, one.character))
    findings["odd_characters"].notes = list(dict.fromkeys(one.name for one in ranked))[:_NAMED]
    distances = np.zeros(0)
    if facts.source is not None:
        lengths = (side.characters_each + _SMALL for side in (facts.target, facts.source))
        distances = find_outliers(*lengths)
    index = 0
    for some in read_texts(corpus):
        for place, source, targets in zip(*some, strict=True):
            texts = "\n".join([source, *targets] if facts.source else targets)
            for pattern, name, why in suspects:
                if match := pattern.search(texts):
                    what = ord(match[0]) if name == "odd_characters" else match[0]
                    findings[name].add(0, *place, why.format(what))
            if facts.source and source.strip() == targets[0].strip():
                why = f"the target is the source ({_cut(source)})"
                findings["copy"].add(len(source), *place, why)
            if index < len(distances) and distances[index]:
                why = f"{len(source):,} characters and {len(targets[0]):,}"
                findings["ratio"].add(float(distances[index]), *place, why)
            index += 1
    return list(findings.values())


def _cut(text: str, width: int = 30) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"
