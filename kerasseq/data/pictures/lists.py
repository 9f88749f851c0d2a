"""Lists of pictures and captions that users have."""

import os
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from kerasseq.data.examples import Entries
from kerasseq.data.files import Paths
from kerasseq.data.lists.columns import Names
from kerasseq.data.lists.entries import (
    Columns,
    Reader,
    ReadLists,
    find_field,
    find_metadata,
    make_entries,
    objects_in,
    read_objects,
    read_table,
    reader_of_file,
)
from kerasseq.data.lists.json_texts import decode_json
from kerasseq.data.lists.lines import numbered_lines
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


class PictureCorpus(ReadLists[Captioned]):
    r"""The pictures of lists in the formats that are in common use.

    | list | format |
    | --- | --- |
    | folder with `metadata.csv` or `metadata.jsonl` | Hugging Face's imagefolder |
    | `.json` with "images" and "annotations" | COCO's captions |
    | `.json`, `.jsonl`, `.ndjson` | objects with a path and captions |
    | `.csv`, `.tsv`, `.txt` | a table with or without a header; see `RecordingCorpus` |

    An object has a path (`file_name`, `image`, ...) and a caption or a list of captions (`text`,
    `caption`, ...). In a table, a path can end with "#" and a number, as in the token files of
    Flickr8k and Flickr30k, and a caption can be a JSON list of captions. In COCO's captions,
    `problems` names the place in the list instead of the line.

    Lines with the same path are several references of one picture. Relative paths are relative to
    `folder`, or to the folder of the list. COCO's pictures can also be in folders that have the
    name of the list, with or without "captions_", or the name `images`, beside the list or beside
    its folder: the first folder that has one of the first hundred pictures is taken. Entries that
    cannot be used are left out and counted in `problems`.

    Args:
        lists: a path, or several.
        folder: the folder of relative paths.

    Raises:
        UserError: at once, if a list is missing or has another format; while reading, if it is
            damaged or has no usable picture.

    Example:

    >>> from pathlib import Path
    >>> from kerasseq.data import PictureCorpus
    >>> Path("dog.jpg").touch()
    >>> Path("list.tsv").write_text("dog.jpg\ta dog\ndog.jpg\tan animal\ncat.jpg\ta cat\n")
    46
    >>> corpus = PictureCorpus("list.tsv")
    >>> [(picture.path, picture.texts) for picture in corpus]
    [('dog.jpg', ('a dog', 'an animal'))]
    >>> print(corpus.problems)
    1 left out: 1 × there is no such picture
      list.tsv:3: there is no such picture (cat.jpg)
    """

    def __init__(self, lists: Paths, folder: str | os.PathLike | None = None):
        folder = None if folder is None else os.fspath(folder)
        super().__init__(lists, partial(_open_list, folder), "picture", group_captions)


def _open_list(folder: str | None, path: str) -> Reader[Captioned]:
    if os.path.isdir(path):
        file = find_metadata(Path(path))
        if file is None:
            raise UserError(
                f"{path} is no folder of captioned pictures: it has neither metadata.csv nor "
                "metadata.jsonl (imagefolder)."
            )
        path = str(file)
    read = reader_of_file(path, _read_table, _read_objects, "picture", "Hugging Face's")
    return partial(read, folder), [path]


def _read_table(place: str, folder: str | None) -> Entries[Captioned]:
    def is_file(path: str) -> bool:
        return os.path.isfile(_locate(place, folder, _without_number(path)))

    rows = read_table(place, numbered_lines(place), NAMES, is_file)
    return make_entries(place, rows, partial(_from_columns, folder))


def _read_objects(place: str, folder: str | None) -> Entries[Captioned]:
    """Yields the entries of objects, or of the one object that has all of COCO's captions."""
    rows = read_objects(place)
    first = next(rows, None)
    if first is None:
        return iter(())
    if isinstance(first[1], dict) and {"images", "annotations"} <= first[1].keys():
        return _read_coco(place, folder, first[1])
    return make_entries(place, chain([first], rows), partial(_from_object, folder))


def _from_columns(folder: str | None, place: str, number: int, row: Columns) -> Captioned:
    several = captions_of(decode_json(row.text)) if row.text.startswith('["') else None
    texts = tuple(several or [row.text])
    return Captioned(_locate(place, folder, _without_number(row.path)), texts, place, number)


def captions_of(value: object) -> list[str] | None:
    """Returns the captions in a field, which has a text or a list of texts; else None."""
    value = [value] if isinstance(value, str) else value
    fits = isinstance(value, list) and all(isinstance(text, str) for text in value)
    return value if fits else None


def _without_number(path: str) -> str:
    """Returns a path without the number of the caption behind it."""
    return re.sub(r"(\.\w{2,5})#\d+$", r"\1", path)


def _from_object(folder: str | None, place: str, number: int, row: dict) -> Captioned | str:
    path = find_field(row, NAMES.paths)
    texts = next((captions_of(row[name]) for name in NAMES.texts if name in row), None)
    if not path or texts is None:
        return 'not an object with the texts "file_name" and "caption"'
    return Captioned(_locate(place, folder, path), tuple(texts), place, number)


def _locate(place: str, folder: str | None, path: str) -> str:
    return path if is_url(path) else os.path.join(folder or os.path.dirname(place), path)


def _read_coco(place: str, folder: str | None, whole: dict[str, Any]) -> Entries[Captioned]:
    images: dict[Any, str] = {}
    for number, row in _dicts_in(whole["images"]):
        name, key = row.get("file_name"), row.get("id")
        if not isinstance(name, str) or not isinstance(key, int | str):
            yield place, number, 'in "images": not an object with "id" and "file_name"'
        else:
            images[key] = name
    folder = folder or _coco_folder(Path(place), list(islice(images.values(), 100)))
    for number, row in _dicts_in(whole["annotations"]):
        text, key = row.get("caption"), row.get("image_id")
        if not isinstance(text, str) or not isinstance(key, int | str):
            yield place, number, 'in "annotations": not an object with "image_id" and "caption"'
        elif key not in images:
            yield place, number, 'in "annotations": of no picture in "images"'
        else:
            path = _locate(place, folder, images[key])
            yield place, number, Captioned(path, (text,), place, number)


def _dicts_in(rows: Any) -> Iterator[tuple[int, dict]]:
    objects = objects_in(rows if isinstance(rows, list) else [])
    return ((number, row if isinstance(row, dict) else {}) for number, row in objects)


def _coco_folder(place: Path, names: list[str]) -> str:
    """Returns the folder of the pictures of a list."""
    stem = place.name.partition(".")[0]
    folders = [place.parent]
    for top in (place.parent, place.parent.parent):
        folders += [top / name for name in (stem, stem.removeprefix("captions_"), "images")]
    matches = (some for some in folders if any((some / name).is_file() for name in names))
    return str(next(matches, place.parent))
