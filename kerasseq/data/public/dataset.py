"""The description of a public data set."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kerasseq.errors import UserError

HEADS = {"text": "translation", "sound": "speech-recognition", "picture": "captioning"}
UNITS = {"text": "pairs", "sound": "recordings", "picture": "pictures"}


@dataclass(frozen=True)
class File:
    """A file of a data set.

    Attributes:
        name: the publisher's name of the file.
        size: in bytes.
        sha256: in hexadecimal.
        urls: the addresses of the file; the first one that has it is taken.
        unpacks: the folder in an archive that becomes a folder of the data set; "" for a file that
            is not unpacked.
    """

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]
    unpacks: str = ""


@dataclass(frozen=True)
class Dataset:
    """A public data set in its official layout.

    Attributes:
        name: for the command line.
        title: a description in one line.
        languages: the codes of the languages; of texts, source and target are chosen from them.
        licence: as its publishers state it.
        homepage: the address of its page.
        pairs: the number of pairs, recordings or pictures.
        folder: the folder that `fetch` puts it into, under the data folder.
        files: all its files; empty if users must fetch them by hand.
        split: returns the corpora "train", "valid" and "test". Its arguments are (data_dir,
            source, target) for texts, and (data_dir) for sound and pictures.
        kind: "text", "sound" or "picture".
        bytes: the approximate size of a set without `files`.
        source: says how to fetch and lay out a set without `files`.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    licence: str
    homepage: str
    pairs: int
    folder: str
    files: tuple[File, ...]
    split: Callable[..., dict[str, Any]]
    kind: Literal["text", "sound", "picture"] = "text"
    bytes: int = 0
    source: str = ""

    @property
    def size(self) -> int:
        """The number of bytes of all files."""
        return self.bytes or sum(file.size for file in self.files)

    @property
    def head(self) -> str:
        """The command-line name of the head that trains on it."""
        return HEADS[self.kind]

    @property
    def unit(self) -> str:
        """The unit of `pairs`, for the command line."""
        return UNITS[self.kind]

    def locate(self, data_dir: str | os.PathLike | None = None, *layouts: Sequence[str]) -> Path:
        """Returns the folder that has the set: the data folder, or the set's own folder in it.

        Args:
            data_dir: see `data_folder`.
            layouts: the names of files and folders that must be there, one list for each way in
                which people unpack the set; by default the names of all files.

        Raises:
            UserError: if neither folder has all names of one of the layouts.
        """
        top = data_folder(data_dir)
        own = top / self.folder
        layouts = layouts or ([file.name for file in self.files],)
        for folder in (top, own):
            if any(all((folder / name).exists() for name in names) for names in layouts):
                return folder
        missing = next(name for name in layouts[0] if not (own / name).exists())
        raise UserError(
            f"{self.name} is neither in {top} nor in {own} ({missing} is missing): `kerasseq "
            f"datasets fetch {self.name}` fetches it or says where it is to be had; or name a "
            "folder that has it with --data-dir or KERASSEQ_DATA."
        )

    def direction(self, source: str | None, target: str | None) -> tuple[str, str]:
        """Returns both languages; None gives the first language that is not the other side's."""
        source = source or next(code for code in self.languages if code != target)
        return source, target or next(code for code in self.languages if code != source)


def data_folder(data_dir: str | os.PathLike | None = None) -> Path:
    """Returns `data_dir`, or KERASSEQ_DATA, or a folder for caches in the user's home."""
    if data_dir or os.environ.get("KERASSEQ_DATA"):
        return Path(data_dir or os.environ["KERASSEQ_DATA"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kerasseq" / "data"
