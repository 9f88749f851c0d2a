"""What a public data set is."""

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
    """One file of a data set.

    Attributes:
        name: as its publisher names it.
        size: bytes.
        sha256: in hexadecimal.
        urls: where it is published; the first that has it is taken.
        unpacks: the folder in the data set's folder that an archive holds; "" is used as it is.
    """

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]
    unpacks: str = ""


@dataclass(frozen=True)
class Dataset:
    """A public set of pairs, in its official layout.

    Attributes:
        name: for the command line.
        title: what it holds.
        languages: the codes to choose source and target from; else what is spoken or written.
        licence: as its publishers state it.
        homepage: where to read about it.
        pairs: in all; of speech and pictures, recordings or pictures.
        folder: where `fetch` puts it, under the data folder.
        files: all of it; none if it must be had by hand.
        split: (data_dir, source, target), of other kinds than text (data_dir), to the corpora
            "train", "valid" and "test".
        kind: "text", "sound" or "picture".
        bytes: about, of a set without files.
        source: where a set without files is to be had, and how to lay it out.
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
        """Bytes of all files."""
        return self.bytes or sum(file.size for file in self.files)

    @property
    def head(self) -> str:
        """What is trained on it, for the command line."""
        return HEADS[self.kind]

    @property
    def unit(self) -> str:
        """What `pairs` counts, for the command line."""
        return UNITS[self.kind]

    def locate(self, data_dir: str | os.PathLike | None = None, *layouts: Sequence[str]) -> Path:
        """The data folder, or the set's own folder in it, that has the set.

        Args:
            data_dir: see `data_folder`.
            layouts: files and folders that are needed, one list for each way in which people
                unpack the set; by default all files.

        Raises:
            UserError: neither folder has all that one of the layouts needs.
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
        """Both languages, where None is the first source, or the first target, that is left."""
        source = source or next(code for code in self.languages if code != target)
        return source, target or next(code for code in self.languages if code != source)


def data_folder(data_dir: str | os.PathLike | None = None) -> Path:
    """`data_dir`, else KERASSEQ_DATA, else a folder for caches under the user's home."""
    if data_dir or os.environ.get("KERASSEQ_DATA"):
        return Path(data_dir or os.environ["KERASSEQ_DATA"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kerasseq" / "data"
