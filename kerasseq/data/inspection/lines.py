"""The result of an inspection as lines of text."""

import textwrap
from collections.abc import Iterator, Sequence

from kerasseq.data.facts import Survey
from kerasseq.data.inspection.findings import find_worst, write_sentences
from kerasseq.data.inspection.report import (
    EXAMPLES,
    PARTS,
    QUANTILES,
    Inspection,
    find_quantiles,
    list_lengths,
)
from kerasseq.data.inspection.texts import find_odd_characters
from kerasseq.data.text.facts import TextFacts

_WIDTH = 100
_CHARACTERS = 60
_VISIBLE = str.maketrans({" ": "\N{OPEN BOX}", "\n": "\\n", "\t": "\\t"})
_NAMED = 6


def describe(result: Inspection) -> Iterator[str]:
    """Yields the lines of a result."""
    yield f"{result.name}: {EXAMPLES[result.kind]}"
    yield ""
    amounts = {PARTS[part]: _list_amounts(facts) for part, facts in result.surveys.items()}
    columns = list(dict.fromkeys(name for row in amounts.values() for name in row))
    rows = [[part, *(row.get(name, "") for name in columns)] for part, row in amounts.items()]
    yield from _align([["", *map(_title, columns)], *rows])
    yield "frequent: the share of the different words that come five times or more"
    for part, facts in result.surveys.items():
        yield ""
        yield from _align(_tabulate_lengths(PARTS[part], facts))
    yield ""
    yield from _describe_characters(result)
    yield ""
    for part, count in result.decoded.items():
        total = result.surveys[part].examples
        if count < total:
            what = f"{total:,} {PARTS[part]} {EXAMPLES[result.kind]}"
            yield f"{count:,} of {what} were decoded, from all over them."
    for name, reason in result.errors.items():
        what = "cannot be read" if name in PARTS else "is left out"
        yield from _wrap(f"- {PARTS.get(name, name)} {what}: {reason}")
    for sentence in write_sentences(result.findings, PARTS):
        yield from _wrap(f"- {sentence}")
    if not result.findings and not result.errors:
        yield "Nothing is wrong with it, as far as this shows."
    if worst := find_worst(result.findings):
        yield ""
        yield "The worst:"
        yield from (f"  {item.place}:{item.line}: {item.why}" for _, item in worst)


def _title(column: str) -> str:
    """Returns the head of a column, which names the side only once."""
    side, _, rest = column.partition(" ")
    return rest if rest and rest != "words" else column


def _list_amounts(facts: Survey) -> dict[str, str]:
    """Returns the cells of the first table by the names of their columns."""
    cells = {EXAMPLES[facts.kind]: f"{facts.examples:,}"}
    if facts.sound:
        sound = facts.sound
        about = "~" if sound.measured + sound.unreadable < sound.recordings else ""
        cells["length"] = about + _spell_time(sound.seconds)
        cells["Hz"] = " ".join(map(str, list(sound.rates)[:3])) + " ..." * (len(sound.rates) > 3)
        cells["speakers"] = f"{sound.speakers:,}" if sound.speakers else "?"
    if facts.pictures:
        cells["captions"] = f"{facts.pictures.captions:,}"
    for name, texts in (("source ", facts.source), ("target ", facts.target)):
        if texts:
            side = name if facts.source else ""
            cells[f"{side}words"] = f"{texts.words:,}"
            cells[f"{side}different"] = f"{texts.distinct_words:,}"
            cells[f"{side}frequent"] = f"{100 * texts.frequent_share:.0f} %"
    return cells


def _spell_time(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:,.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.1f} s"


def _tabulate_lengths(part: str, facts: Survey) -> list[list[str]]:
    """Returns the cells of the quantiles of the lengths of a part."""
    rows = [[part, *QUANTILES]]
    for name, values in list_lengths(facts).items():
        decimals = 2 if name == "seconds" else 0
        rows.append([name, *(f"{v:,.{decimals}f}" for v in find_quantiles(values).values())])
    return rows


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yields lines with the first cells at the left, and the other cells at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join([f"{first:<{widths[0]}}", *cells]).rstrip()


def _describe_characters(result: Inspection) -> Iterator[str]:
    """Yields the characters of the training part, or else of the first part, by frequency."""
    facts = result.surveys.get("train") or next(iter(result.surveys.values()))
    if facts.source:
        yield from _wrap(f"Source characters {_list_characters(facts.source)}")
    title = "Target characters" if facts.source else "Characters"
    yield from _wrap(f"{title} {_list_characters(facts.target)}")


def _list_characters(texts: TextFacts) -> str:
    counts, odd = texts.character_counts, find_odd_characters(texts.character_counts)
    usual = set(counts) - {one.character for one in odd}
    ranked = sorted(usual, key=lambda one: (-counts[one], one))
    shown = "".join(ranked[:_CHARACTERS]).translate(_VISIBLE)
    rest = f" and {len(ranked) - _CHARACTERS:,} more" * (len(ranked) > _CHARACTERS)
    names = [f"{one.name} {one.count:,} ×" for one in odd[:_NAMED]]
    names += [f"{len(odd) - _NAMED:,} more"] * (len(odd) > _NAMED)
    return f"({len(counts):,}): {shown}{rest}" + f"; odd: {', '.join(names)}" * bool(odd)


def _wrap(text: str) -> list[str]:
    indent = "  " if text.startswith("- ") else "    "
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
