"""Users' own lists of recordings as a corpus."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from kerasseq.data.files import check_file, plain_name
from kerasseq.data.recordings import ListedCorpus, Recording, Rows
from kerasseq.data.sound_datasets import librispeech_rows, numbered_lines
from kerasseq.errors import UserError

PATHS = ("audio_filepath", "file_name", "path", "file", "filename", "audio", "wav")
"""Names of the column or field that names the sound file, in this order."""
TEXTS = ("text", "transcription", "sentence", "transcript")
"""And of the one with what is said."""


class RecordingCorpus(ListedCorpus):
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
    check_file(path)
    name = plain_name(path)
    if name == "wav.scp":
        return _in_folder(Path(path).parent)
    for endings, reader in (
        ((".json", ".jsonl", ".ndjson"), _objects),
        ((".csv",), _table),
        ((".tsv", ".txt", ".tab"), _tabs),
    ):
        if name.endswith(endings):
            return partial(reader, path), [path]
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
    for name, reader in (("metadata.csv", _table), ("metadata.jsonl", _objects)):
        if (folder / name).is_file():
            return partial(reader, str(folder / name)), [str(folder / name)]
    if next(folder.glob("*/*/*.trans.txt"), None):
        return partial(librispeech_rows, folder), []
    raise UserError(
        f"{folder} is no folder of recordings: it has neither wav.scp and text (Kaldi), nor "
        "metadata.csv or metadata.jsonl (audiofolder), nor */*/*.trans.txt (LibriSpeech)."
    )


def _beside(place: str, path: str) -> str:
    return os.path.join(os.path.dirname(place), path)


def _field(row: dict, names: Sequence[str]) -> str | None:
    return next((row[name] for name in names if isinstance(row.get(name), str)), None)


def _objects(place: str) -> Rows:
    for number, line in numbered_lines(place):
        if line is None or line.strip():
            yield place, number, _object(place, number, line)


def _object(place: str, number: int, line: str | None) -> Recording | str:
    if line is None:
        return "not valid UTF-8"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "not JSON"
    path, text = (
        (_field(row, names) for names in (PATHS, TEXTS)) if isinstance(row, dict) else (None, None)
    )
    if not path or text is None:
        return 'not an object with the texts "audio_filepath" and "text"'
    start, length = row.get("offset") or 0, row.get("duration")
    if not all(isinstance(some, int | float) for some in (start, length or 0)):
        return '"offset" or "duration" is not a number'
    if start < 0 or (length is not None and length <= 0):
        return "the recording is empty"
    # Without an offset, a duration only says how long the file is, and often roundly.
    end = start + length if start and length else None
    return Recording(_beside(place, path), text, place, number, float(start), end)


def _table(place: str) -> Rows:
    """Comma-separated, with quotes around what has commas or new lines."""

    def texts() -> Iterator[str]:
        for number, line in numbered_lines(place):
            if line is None:
                raise UserError(f"{place}:{number}: not valid UTF-8.")
            yield line + "\n"

    rows = csv.reader(texts())
    try:
        header = next(rows, [])
        columns = _header(header)
        if columns is None:
            raise UserError(
                f"{place}:1: the header must name a column of paths ({', '.join(PATHS)}) and "
                f"one of texts ({', '.join(TEXTS)})."
            )
        for row in rows:
            if row:
                yield place, rows.line_num, _columns(place, rows.line_num, row, columns)
    except csv.Error as error:
        raise UserError(f"{place}:{rows.line_num}: not comma-separated: {error}.") from error


def _tabs(place: str) -> Rows:
    columns = (0, 1)
    for number, line in numbered_lines(place):
        if line is None:
            yield place, number, "not valid UTF-8"
            continue
        row = line.split("\t")
        if number == 1 and (found := _header(row)):
            columns = found
        elif line.strip():
            yield place, number, _columns(place, number, row, columns)


def _header(row: list[str]) -> tuple[int, int] | None:
    """The columns of the path and of the text, if this is a header."""
    names = [name.strip().lower() for name in row]
    path = next((names.index(name) for name in PATHS if name in names), None)
    text = next((names.index(name) for name in TEXTS if name in names), None)
    return None if path is None or text is None else (path, text)


def _columns(place: str, number: int, row: list[str], columns: tuple[int, int]) -> Recording | str:
    if len(row) <= max(columns) or not row[columns[0]].strip():
        return "no path and text with a tab or comma between"
    path, text = (row[column].strip() for column in columns)
    return Recording(_beside(place, path), text, place, number)


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
            yield place, number, Recording(_beside(place, path), texts[name], place, number)


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
        yield place, number, Recording(_beside(scp, path), text, place, number, times[0], end_time)


def _entries(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """(line number, name, what is after the first space); None if the line is not UTF-8."""
    for number, line in numbered_lines(path):
        if line is None:
            yield number, f"line {number}", None
        elif line.strip():
            name, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
            yield number, name, rest.strip()
