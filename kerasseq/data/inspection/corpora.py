"""Opens the data that a command line names, and finds out what they are."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kerasseq.data.corpus import Corpus
from kerasseq.data.files import check_file, open_file, plain_name
from kerasseq.data.lists.entries import find_metadata
from kerasseq.data.pictures.lists import PictureCorpus
from kerasseq.data.public import datasets
from kerasseq.data.public.dataset import HEADS
from kerasseq.data.sound.lists import RecordingCorpus
from kerasseq.data.text.lists import FileCorpus
from kerasseq.errors import UserError
from kerasseq.media.endings import PICTURES, SOUNDS, VIDEOS

KINDS = {head: kind for kind, head in HEADS.items()}
"""The kind of data of each head, by its name on the command line."""

_SAMPLE = 1 << 18
_LIMIT = 2000  # the default of data.limit: characters of a text
_TEXTS = (".po", ".zip")
_LISTS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson")

# The ending of a name where a cell or a JSON text ends, with the number of a caption or not.
_ENDING = re.compile(rb"\.([a-z0-9]{2,5})(?:#\d+)?(?=[\"'\t,;|\r\n]|\s*\Z)")
_MIN_SHARE = 0.3  # of the lines or objects, which must name files


class Opened(NamedTuple):
    """The parts of some data.

    Attributes:
        kind: "text", "sound" or "picture".
        name: the name of the data.
        parts: the corpora, by "train", "valid" and "test".
        errors: why a list or a part cannot be read, by its name.
    """

    kind: str
    name: str
    parts: dict[str, Corpus]
    errors: dict[str, str]


def open_dataset(name: str, data_dir: str | None, source: str | None, target: str | None) -> Opened:
    """Opens a public data set.

    Raises:
        UserError: if there is no such set, or if languages are given for a set without texts.
    """
    dataset = datasets.find(name)
    if dataset.kind == "text":
        parts = datasets.pairs(name, source, target, data_dir)
    elif source or target:
        raise UserError(f"{name} is {dataset.kind}: --source and --target are for texts.")
    else:
        parts = dataset.split(data_dir)
    return Opened(dataset.kind, dataset.title, dict(parts), {})


def open_files(
    files: Mapping[str, Sequence[str]],
    head: str | None = None,
    images: str | None = None,
    languages: tuple[str, str] = ("", ""),
) -> Opened:
    """Opens lists of recordings or pictures, or files of pairs.

    A list that cannot be read is left out, with the reason in `errors`.

    Args:
        files: the files of each part; the training part first.
        head: the head that would train on them; None finds it out from the files.
        images: the folder of pictures.
        languages: the codes of the source and the target language.

    Raises:
        UserError: if it is not clear what the files are, if an option does not fit them, or if no
            part can be read.
    """
    kind = KINDS[head] if head else find_kind([file for some in files.values() for file in some])
    if images and kind != "picture":
        raise UserError(f"--images is for lists of pictures, and these are {kind}.")
    if any(languages) and kind != "text":
        raise UserError(f"--source and --target are for texts, and these are {kind}.")
    parts: dict[str, Corpus] = {}
    errors: dict[str, str] = {}
    for part, some in files.items():
        try:
            parts[part] = _open(kind, some, images, languages)
        except UserError as error:
            errors[part] = str(error)
            if len(some) < 2:
                continue
            usable = [file for file in some if _opens(kind, file, images, languages, errors)]
            if usable:
                parts[part] = _open(kind, usable, images, languages)
    if not parts:
        raise UserError(next(iter(errors.values())))
    return Opened(kind, ", ".join(Path(file).name for file in files["train"]), parts, errors)


def _open(
    kind: str, files: Sequence[str], images: str | None, languages: tuple[str, str]
) -> Corpus:
    """Opens the files of a part, and reads the first example."""
    corpus: Corpus
    if kind == "text":
        corpus = FileCorpus(files, limit=_LIMIT, languages=languages)
    elif kind == "sound":
        corpus = RecordingCorpus(files)
    else:
        corpus = PictureCorpus(files, images)
    next(iter(corpus), None)
    return corpus


def _opens(
    kind: str,
    file: str,
    images: str | None,
    languages: tuple[str, str],
    errors: dict[str, str],
) -> bool:
    try:
        _open(kind, [file], images, languages)
    except UserError as error:
        errors[file] = str(error)
        return False
    return True


def find_kind(paths: Sequence[str]) -> str:
    """Returns "sound" or "picture" if the files are lists of such, and otherwise "text".

    Raises:
        UserError: if a file is missing, or names both sounds and pictures.
    """
    kinds = {kind for path in paths if (kind := _kind_of(path))}
    if len(kinds) > 1:
        names = " and ".join(sorted(kinds))
        raise UserError(f"The files are {names}: name those of one kind, or say --head.")
    return kinds.pop() if kinds else "text"


def _kind_of(path: str) -> str | None:
    """Returns the kind of a file; None if it cannot be opened, which its reader explains."""
    folder = Path(path)
    if os.path.isdir(path):
        if (folder / "wav.scp").is_file() or next(folder.glob("*/*/*.trans.txt"), None):
            return "sound"
        metadata = find_metadata(folder)
        if metadata is None:
            raise UserError(
                f"{path} is no folder of a data set: it has neither wav.scp (Kaldi), nor "
                "metadata.csv or metadata.jsonl (Hugging Face), nor */*/*.trans.txt (LibriSpeech)."
            )
        path = str(metadata)
    if folder.name == "wav.scp":
        return "sound"
    name = plain_name(path)
    if name.endswith(_TEXTS) or not name.endswith(_LISTS):
        return "text"
    try:
        check_file(path)
        with open_file(path) as file:
            sample = file.read(_SAMPLE).replace(b"\0", b"")
    except UserError:
        return None
    return _kind_of_list(path, sample, name.endswith("json"))


def _kind_of_list(path: str, sample: bytes, is_json: bool) -> str:
    endings = [f".{ending.decode()}" for ending in _ENDING.findall(sample.lower())]
    sounds = sum(ending in SOUNDS for ending in endings)
    pictures = sum(ending in PICTURES or ending in VIDEOS for ending in endings)
    rows = max(1, sample.count(b"{") if is_json else sample.strip().count(b"\n") + 1)
    if max(sounds, pictures) < _MIN_SHARE * rows:
        # LJ Speech's lists name no endings.
        first = os.path.join("wavs", re.split(rb"[|,;\t]", sample, maxsplit=1)[0].decode("latin-1"))
        beside = os.path.join(os.path.dirname(path), first + ".wav")
        return "sound" if "\n" not in first and os.path.isfile(beside) else "text"
    if sounds == pictures:
        raise UserError(
            f"{path} names files that can be sounds or videos: say --head speech-recognition or "
            "--head captioning."
        )
    return "sound" if sounds > pictures else "picture"
