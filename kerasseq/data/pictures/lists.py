"""Users' own lists of pictures and captions as a corpus."""

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.files import Paths, paths_of
from kerasseq.data.json_texts import decoded
from kerasseq.data.layouts import Names
from kerasseq.data.lines import numbered_lines
from kerasseq.data.lists import (
    OBJECTS,
    TABLES,
    Columns,
    by_ending,
    field,
    in_list,
    made,
    metadata,
    objects,
    table,
)
from kerasseq.data.pictures.captioned import Captioned, group_captions
from kerasseq.errors import UserError
from kerasseq.media.picture import is_url

NAMES = Names(
    (
        *("file_name", "image", "image_path", "path", "file", "filename", "picture", "image_name"),
        *("img", "img_path", "image_file", "image_filename", "file_path", "filepath", "photo"),
        *("picture_path", "video", "clip"),
    ),
    (
        *("text", "caption", "captions", "sentence", "sentences", "description", "texts"),
        *("comment", "label", "title", "raw"),
    ),
)


class PictureCorpus(ListedExamples[Captioned]):
    r"""The pictures of lists, told apart by their names and what is in them.

    - a folder with `metadata.csv` or `metadata.jsonl`: Hugging Face's imagefolder.
    - `.json` with "images" and "annotations": COCO's captions. The line that problems name is the
      place in its list, from 1.
    - `.json`, `.jsonl`, `.ndjson`: an object a line, or `.json` a list of objects, with a path
      (`file_name`, `image`, ...) and a caption or a list of captions (`text`, `caption`, ...).
    - `.csv`, `.tsv`, `.txt`: with a header that names a column of paths and one of captions, or
      without one path and caption; see `RecordingCorpus`. A path may end with "#" and a number,
      as in Flickr8k's and Flickr30k's token files. A caption may be a JSON list of captions.

    Lines with the same path are several references of one picture. Relative
    paths are relative to `folder`, or else to the list's folder. COCO's files are looked for there
    and in the folders that are named as the list is, with or without "captions_", or `images`,
    beside the list or beside its folder: the first folder that has one of the first hundred
    pictures is taken. What cannot be used is left out and counted in `problems`.

    Args:
        lists: a path, or several.
        folder: that relative paths begin from.

    Raises:
        UserError: at once, if a list is missing or none of these; while reading, if it is damaged
            or has no usable picture.
    """

    def __init__(self, lists: Paths, folder: str | os.PathLike | None = None):
        lists = paths_of(lists)
        if not lists:
            raise UserError("Name at least one list of pictures.")
        files = [_list(path) for path in lists]
        readers = [_reader(file, None if folder is None else os.fspath(folder)) for file in files]

        def rows() -> Entries[Captioned]:
            yield from group_captions(row for reader in readers for row in reader())

        super().__init__(rows, files, " and ".join(lists), "picture")


def _list(path: str) -> str:
    """The file that a path names."""
    if not os.path.isdir(path):
        return path
    if file := metadata(Path(path)):
        return str(file)
    raise UserError(
        f"{path} is no folder of captioned pictures: it has neither metadata.csv nor "
        "metadata.jsonl (imagefolder)."
    )


def _reader(path: str, folder: str | None) -> Callable[[], Entries[Captioned]]:
    if reader := by_ending(path, {OBJECTS: _objects, TABLES: _table}):
        return partial(reader, path, folder)
    raise UserError(
        f"{path} cannot be read as a list of pictures: give a .tsv, .csv, .txt, .json or .jsonl "
        "file, or a folder of Hugging Face's layout."
    )


def _table(place: str, folder: str | None) -> Entries[Captioned]:
    def there(path: str) -> bool:
        return os.path.isfile(_located(place, folder, _plain(path)))

    rows = table(place, numbered_lines(place), NAMES, there)
    return made(place, rows, partial(_of_columns, folder))


def _objects(place: str, folder: str | None) -> Entries[Captioned]:
    """Objects with a path and captions, or one that has all of COCO's captions."""
    found = objects(place)
    first = next(found, None)
    if first is None:
        return iter(())
    if isinstance(first[1], dict) and {"images", "annotations"} <= first[1].keys():
        return _coco(place, folder, first[1])
    return made(place, chain([first], found), partial(_of_object, folder))


def _of_columns(folder: str | None, place: str, number: int, row: Columns) -> Captioned:
    several = captions_of(decoded(row.text)) if row.text.startswith('["') else None
    texts = tuple(several or [row.text])
    return Captioned(_located(place, folder, _plain(row.path)), texts, place, number)


def captions_of(value: object) -> list[str] | None:
    """Returns the captions in a field, which has a text or a list of texts; else None."""
    value = [value] if isinstance(value, str) else value
    fits = isinstance(value, list) and all(isinstance(text, str) for text in value)
    return value if fits else None


def _plain(path: str) -> str:
    """A path without the number of the caption behind it."""
    return re.sub(r"(\.\w{2,5})#\d+$", r"\1", path)


def _of_object(folder: str | None, place: str, number: int, row: dict) -> Captioned | str:
    path = field(row, NAMES.paths)
    texts = next((captions_of(row[name]) for name in NAMES.texts if name in row), None)
    if not path or texts is None:
        return 'not an object with the texts "file_name" and "caption"'
    return Captioned(_located(place, folder, path), tuple(texts), place, number)


def _located(place: str, folder: str | None, path: str) -> str:
    return path if is_url(path) else os.path.join(folder or os.path.dirname(place), path)


def _coco(place: str, folder: str | None, whole: dict[str, Any]) -> Entries[Captioned]:
    images: dict[Any, str] = {}
    for number, row in _objects_in(whole["images"]):
        name, key = row.get("file_name"), row.get("id")
        if not isinstance(name, str) or not isinstance(key, int | str):
            yield place, number, 'in "images": not an object with "id" and "file_name"'
        else:
            images[key] = name
    folder = folder or _coco_folder(Path(place), list(islice(images.values(), 100)))
    for number, row in _objects_in(whole["annotations"]):
        text, key = row.get("caption"), row.get("image_id")
        if not isinstance(text, str) or not isinstance(key, int | str):
            yield place, number, 'in "annotations": not an object with "image_id" and "caption"'
        elif key not in images:
            yield place, number, 'in "annotations": of no picture in "images"'
        else:
            path = _located(place, folder, images[key])
            yield place, number, Captioned(path, (text,), place, number)


def _objects_in(rows: Any) -> Iterator[tuple[int, dict]]:
    found = in_list(rows if isinstance(rows, list) else [])
    return ((number, row if isinstance(row, dict) else {}) for number, row in found)


def _coco_folder(place: Path, names: list[str]) -> str:
    """Where the pictures of a list are."""
    stem = place.name.partition(".")[0]
    folders = [place.parent]
    for top in (place.parent, place.parent.parent):
        folders += [top / name for name in (stem, stem.removeprefix("captions_"), "images")]
    there = (some for some in folders if any((some / name).is_file() for name in names))
    return str(next(there, place.parent))
