"""Pictures and clips with their captions."""

from typing import NamedTuple

import numpy as np

from kerasseq.data.examples import Entries, Examples
from kerasseq.media.picture import is_url, read_picture


class Captioned(NamedTuple):
    """A picture, or a clip, and its captions.

    Attributes:
        path: the picture or video file.
        texts: the captions; all of them describe the whole picture.
        place: the list that names the file.
        line: the first line of the list that names it, from 1.

    Example:

    >>> import numpy as np
    >>> from PIL import Image
    >>> from kerasseq.data import Captioned
    >>> Image.fromarray(np.zeros((20, 30, 3), "uint8")).save("a.png")
    >>> picture = Captioned("a.png", ("a black picture", "night"), "list.tsv", 1)
    >>> picture.read(size=(8, 8), frames=1).shape
    (1, 8, 8, 3)
    """

    path: str
    texts: tuple[str, ...]
    place: str
    line: int

    kind = "picture"

    def stamp(self) -> str:
        """Returns the text that enters the fingerprint, besides the file."""
        return "\n".join(self.texts)

    def reason_against(self) -> str | None:
        """Returns what is wrong with the picture, as far as it shows without the file."""
        if not self.texts:
            return "there is no caption"
        return "a URL, which is not fetched" if is_url(self.path) else None

    def read(self, size: tuple[int, int], frames: int) -> np.ndarray:
        """Returns the frames (F, H, W, 3) uint8, F at most `frames`; see `read_picture`."""
        return read_picture(self.path, size, frames)


CaptionedCorpus = Examples[Captioned]
"""Captioned pictures that can be read again and again; `reader(size, frames)` decodes them."""


def group_captions(entries: Entries[Captioned]) -> Entries[Captioned]:
    """Yields one entry for each path, with all its captions; empty captions are left out."""
    groups: dict[str, tuple[Captioned, list[str]]] = {}
    for place, line, entry in entries:
        if isinstance(entry, str):
            yield place, line, entry
            continue
        texts = [text for text in entry.texts if text.strip()]
        for _ in range(len(entry.texts) - len(texts)):
            yield place, line, "the caption is empty"
        if texts or not entry.texts:
            groups.setdefault(entry.path, (entry, []))[1].extend(texts)
    for first, texts in groups.values():
        yield first.place, first.line, first._replace(texts=tuple(texts))
