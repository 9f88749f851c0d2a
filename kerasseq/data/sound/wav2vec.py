"""Manifests of wav2vec and fairseq: a folder, then a path and a number of samples a line."""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from kerasseq.data.examples import Entries
from kerasseq.data.lists.lines import BadLine, Line, numbered_lines
from kerasseq.data.sound.recordings import Recording
from kerasseq.errors import UserError

_ENTRY = re.compile(r"[^\t]+\t\d{3,}")


def is_wav2vec(place: str, first: Sequence[Line]) -> bool:
    """Tells whether the file `place` with these first lines is a manifest."""
    root, *entries = [line if isinstance(line, str) else "" for line in first] or [""]
    return (
        "\t" not in root
        and (os.sep in root or os.path.isdir(os.path.join(os.path.dirname(place), root)))
        and bool(entries)
        and all(map(_ENTRY.fullmatch, entries))
    )


def find_transcripts(manifest: str) -> list[str]:
    """Returns the file of transcripts beside a manifest, as a list of at most one."""
    stem = os.path.splitext(manifest)[0]
    return [file for file in (f"{stem}.wrd", f"{stem}.ltr") if os.path.isfile(file)][:1]


def read_wav2vec(place: str, lines: Iterator[tuple[int, Line]]) -> Entries[Recording]:
    """Yields the recordings of a manifest, with the transcripts of the file beside it.

    Raises:
        UserError: if there is no such file, or if it has another number of lines.
    """
    texts = find_transcripts(place)
    if not texts:
        stem = os.path.splitext(os.path.basename(place))[0]
        raise UserError(
            f"{place} is a wav2vec manifest, which has no transcripts: put {stem}.wrd or "
            f"{stem}.ltr beside it."
        )
    _, root = next(lines)
    letters = texts[0].endswith(".ltr")
    for (number, line), (_, text) in zip_longest(
        lines, numbered_lines(texts[0]), fillvalue=(0, None)
    ):
        if line is None or text is None:
            raise UserError(
                f"{place} and {texts[0]} must have a transcript for each recording; one is longer."
            )
        if isinstance(line, BadLine) or isinstance(text, BadLine):
            yield place, number, (line if isinstance(line, BadLine) else text).kind
            continue
        path, tab, _ = line.partition("\t")
        text = text.replace(" ", "").replace("|", " ").strip() if letters else text
        row = Recording(os.path.join(os.path.dirname(place), root, path), text, place, number)
        yield place, number, row if tab else "no path and number of samples"
