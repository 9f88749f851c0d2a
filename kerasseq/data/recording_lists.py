"""Users' own lists of recordings as a corpus."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from kerasseq.data.examples import ListedExamples
from kerasseq.data.files import numbered_lines
from kerasseq.data.lists import (
    OBJECTS,
    TABLES,
    TABS,
    Names,
    beside,
    by_ending,
    field,
    made,
    metadata,
    objects,
    table,
    tabs,
)
from kerasseq.data.recordings import Recording, Rows
from kerasseq.data.sound_datasets import librispeech_rows
from kerasseq.errors import UserError

NAMES = Names(
    ("audio_filepath", "file_name", "path", "file", "filename", "audio", "wav"),
    ("text", "transcription", "sentence", "transcript"),
)


class RecordingCorpus(ListedExamples[Recording]):
    r"""The recordings of lists, told apart by their names.

    - a folder with `wav.scp` and `text`: Kaldi's, with `segments` or without; no pipes.
    - a folder with `metadata.csv` or `metadata.jsonl`: Hugging Face's audiofolder.
    - a folder with `*/*/*.trans.txt`: a part of LibriSpeech.
    - `.json`, `.jsonl`, `.ndjson`: a NeMo manifest, an object a line with "audio_filepath",
      "text" and, for a part of a file, "offset" and "duration" in seconds.
    - `.csv`, `.tsv`, `.txt` with a header that names a column of paths (`path`, `file_name`, ...)
      and one of texts (`text`, `transcription`, `sentence`, ...).
    - `.tsv`, `.txt` without one: path, a tab, text; further columns are ignored.

    Lists are UTF-8. Relative paths are relative to the list's folder. Several lists are read one
    after the other. What cannot be used is left out and counted in `problems`.

    Args:
        lists: the paths.

    Raises:
        UserError: at once, if a list is missing or none of these; while reading, if it is damaged,
            pipes its sound through a program, or has no usable recording.
    """

    def __init__(self, lists: Sequence[str | os.PathLike]):
        if not lists:
            raise UserError("Name at least one list of recordings.")
        found = [_readers(os.fspath(path)) for path in lists]
        readers = [reader for reader, _ in found]

        def rows() -> Rows:
            for reader in readers:
                yield from reader()

        files = [file for _, files in found for file in files]
        super().__init__(rows, files, " and ".join(map(os.fspath, lists)))


def _readers(path: str) -> tuple[Callable[[], Rows], list[str]]:
    """What reads a list, and the files that it reads."""
    if os.path.isdir(path):
        return _in_folder(Path(path))
    if reader := by_ending(path, {OBJECTS: _objects, TABLES: _table, TABS: _tabs}):
        return partial(reader, path), [path]
    if os.path.basename(path) == "wav.scp":
        return _in_folder(Path(path).parent)
    raise UserError(
        f"{path} cannot be read as a list of recordings: give a .tsv, .csv, .txt, .json or .jsonl "
        "file, or a folder of Kaldi's, Hugging Face's or LibriSpeech's layout."
    )


def _in_folder(folder: Path) -> tuple[Callable[[], Rows], list[str]]:
    kaldi = [folder / name for name in ("wav.scp", "text", "segments")]
    if kaldi[0].is_file():
        if not kaldi[1].is_file():
            raise UserError(f"{folder} has wav.scp but no text.")
        return partial(_kaldi, folder), [str(file) for file in kaldi if file.is_file()]
    if file := metadata(folder):
        return _readers(str(file))
    if next(folder.glob("*/*/*.trans.txt"), None):
        return partial(librispeech_rows, folder), []
    raise UserError(
        f"{folder} is no folder of recordings: it has neither wav.scp and text (Kaldi), nor "
        "metadata.csv or metadata.jsonl (audiofolder), nor */*/*.trans.txt (LibriSpeech)."
    )


def _objects(place: str) -> Rows:
    return made(place, objects(place), _object)


def _table(place: str) -> Rows:
    return made(place, table(place, NAMES), _recording)


def _tabs(place: str) -> Rows:
    return made(place, tabs(place, NAMES), _recording)


def _recording(place: str, number: int, row: tuple[str, str]) -> Recording:
    path, text = row
    return Recording(beside(place, path), text, place, number)


def _object(place: str, number: int, row: dict) -> Recording | str:
    path, text = (field(row, names) for names in NAMES)
    if not path or text is None:
        return 'not an object with the texts "audio_filepath" and "text"'
    start, length = row.get("offset") or 0, row.get("duration")
    if not all(isinstance(some, int | float) for some in (start, length or 0)):
        return '"offset" or "duration" is not a number'
    if start < 0 or (length is not None and length <= 0):
        return "the recording is empty"
    # Without an offset, a duration only says how long the file is, and often roundly.
    end = start + length if start and length else None
    return Recording(beside(place, path), text, place, number, float(start), end)


def _kaldi(folder: Path) -> Rows:
    texts = {name: text for _, name, text in _entries(folder / "text") if text is not None}
    sounds = {}
    place = str(folder / "wav.scp")
    for number, name, path in _entries(folder / "wav.scp"):
        if path is not None and path.rstrip().endswith("|"):
            raise UserError(
                f"{place}:{number}: {name} is piped through a program, which is not run here; "
                "write its output to a file and name that."
            )
        sounds[name] = number, path
    if (folder / "segments").is_file():
        yield from _segments(str(folder / "segments"), sounds, place, texts)
        return
    for name, (number, path) in sounds.items():
        if not path or name not in texts:
            yield place, number, "no path" if not path else "no transcript in the file text"
        else:
            yield place, number, Recording(beside(place, path), texts[name], place, number)


def _segments(place: str, sounds: dict, scp: str, texts: dict[str, str]) -> Rows:
    for number, name, rest in _entries(Path(place)):
        try:
            sound, start, end = (rest or "").split()
            times = float(start), float(end)
        except ValueError:
            yield place, number, "not the names of a segment and a recording, a start and an end"
            continue
        path = sounds.get(sound, (0, None))[1]
        if not path or name not in texts:
            kind = "no transcript in the file text" if path else "no such recording in wav.scp"
            yield place, number, kind
            continue
        end_time = times[1] if times[1] >= 0 else None  # Kaldi's -1 is the end of the file
        text = texts[name]
        yield place, number, Recording(beside(scp, path), text, place, number, times[0], end_time)


def _entries(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """(line number, name, what is after the first space); None if the line is not UTF-8."""
    for number, line in numbered_lines(path):
        if line is None:
            yield number, f"line {number}", None
        elif line.strip():
            name, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
            yield number, name, rest.strip()
