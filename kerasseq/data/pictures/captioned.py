"""Pictures and clips with their captions."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from kerasseq.data.examples import Examples
from kerasseq.media.picture import is_url, read_picture


class Captioned(NamedTuple):
    """A picture, or a clip, and what is written of it.

    Attributes:
        path: the picture or video file.
        texts: the captions: references of one and the same picture.
        place: the list that names it, and
        line: where first, from 1.
    """

    path: str
    texts: tuple[str, ...]
    place: str
    line: int

    what, one = "pictures", "picture"

    def stamp(self) -> str:
        """What of it a fingerprint counts, beside the file."""
        return "\n".join(self.texts)

    def wrong(self) -> str | None:
        """What is wrong with it, as far as that shows without the file."""
        if not self.texts:
            return "there is no caption"
        return "a URL, which is not fetched" if is_url(self.path) else None

    def read(self, size: tuple[int, int], frames: int) -> np.ndarray:
        """(F, H, W, 3) uint8, of at most `frames` frames; see `read_picture`."""
        return read_picture(self.path, size, frames)


CaptionedCorpus = Examples[Captioned]
"""Captioned pictures that can be read again and again; `reader(size, frames)` decodes them."""

Rows = Iterator[tuple[str, int, Captioned | str]]
"""(place, line, picture), or in its stead a text that says what is wrong with the line."""


def grouped(rows: Rows) -> Rows:
    """All captions of each path together, where it is named first; empty ones are left out."""
    found: dict[str, tuple[Captioned, list[str]]] = {}
    for place, line, row in rows:
        if isinstance(row, str):
            yield place, line, row
            continue
        texts = [text for text in row.texts if text.strip()]
        for _ in range(len(row.texts) - len(texts)):
            yield place, line, "the caption is empty"
        if texts or not row.texts:
            found.setdefault(row.path, (row, []))[1].extend(texts)
    for row, texts in found.values():
        yield row.place, row.line, row._replace(texts=tuple(texts))


def captions_of(value: object) -> Iterable[str] | None:
    """The captions in a field: a text or a list of texts; None is neither."""
    value = [value] if isinstance(value, str) else value
    fits = isinstance(value, list) and all(isinstance(text, str) for text in value)
    return value if fits else None
