"""Users' own lists of recordings as a corpus."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.files import Paths, paths_of
from kerasseq.data.layouts import Names
from kerasseq.data.lines import BadLine, numbered_lines
from kerasseq.data.lists import (
    OBJECTS,
    TABLES,
    Columns,
    beside,
    by_ending,
    field,
    made,
    metadata,
    objects,
    table,
)
from kerasseq.data.sound.librispeech import librispeech_rows
from kerasseq.data.sound.recordings import Recording
from kerasseq.data.sound.wav2vec import is_wav2vec, wav2vec_rows, wav2vec_texts
from kerasseq.errors import UserError

NAMES = Names(
    (
        *("audio_filepath", "file_name", "path", "file", "filename", "audio", "wav", "file_path"),
        *("filepath", "audio_path", "audio_file", "wav_filename", "wav_path", "wav_file"),
        *("recording", "sound", "clip"),
    ),
    (
        *("text", "transcription", "sentence", "transcript", "transcriptions", "transcripts"),
        *("normalized_text", "raw_text", "label", "caption"),
    ),
)
_STARTS = ("offset", "start", "begin", "start_time")
_ENDS = ("end", "stop", "end_time")
_LENGTHS = ("duration", "length")

# Where the lists of Common Voice and of LJ Speech have their recordings, beside them.
_FOLDERS = {"clips": "clips/{}", "wavs": "wavs/{}.wav"}


class RecordingCorpus(ListedExamples[Recording]):
    r"""The recordings of lists, told apart by their names.

    - a folder with `wav.scp` and `text`: Kaldi's, with `segments` or without; no pipes.
    - a folder with `metadata.csv` or `metadata.jsonl`: Hugging Face's audiofolder.
    - a folder with `*/*/*.trans.txt`: a part of LibriSpeech.
    - `.json`, `.jsonl`, `.ndjson`: a NeMo manifest, an object a line with "audio_filepath",
      "text" and, for a part of a file, "offset" and "duration", or "start" and "end", in seconds.
    - `.csv`, `.tsv`, `.txt` with a header that names a column of paths (`path`, `file_name`, ...)
      and one of texts (`text`, `transcription`, `sentence`, ...), and for parts of files columns
      of seconds (`start` or `offset`, `end` or `duration`). Cells may be in quotes.
    - such tables without a header: path and text. Of more columns, the text is the first that is
      not all numbers; where a later one looks more like texts, the list is refused.
    - LJ Speech's `metadata.csv`, Common Voice's tables, a wav2vec manifest with its `.wrd` or
      `.ltr` file beside it.

    Relative paths are relative to the list's folder. Several lists are read one after the other.
    What cannot be used is left out and counted in `problems`.

    Args:
        lists: a path, or several.

    Raises:
        UserError: at once, if a list is missing or none of these; while reading, if it is damaged,
            pipes its sound through a program, or has no usable recording.
    """

    def __init__(self, lists: Paths):
        if not lists:
            raise UserError("Name at least one list of recordings.")
        lists = paths_of(lists)
        found = [_readers(path) for path in lists]
        readers = [reader for reader, _ in found]

        def rows() -> Entries[Recording]:
            for reader in readers:
                yield from reader()

        files = [file for _, files in found for file in files]
        super().__init__(rows, files, " and ".join(lists), "recording")


def _readers(path: str) -> tuple[Callable[[], Entries[Recording]], list[str]]:
    """What reads a list, and the files that it reads."""
    if os.path.isdir(path):
        return _in_folder(Path(path))
    if reader := by_ending(path, {OBJECTS: _objects, TABLES: _table}):
        return partial(reader, path), [path, *wav2vec_texts(path)]
    if os.path.basename(path) == "wav.scp":
        return _in_folder(Path(path).parent)
    raise UserError(
        f"{path} cannot be read as a list of recordings: give a .tsv, .csv, .txt, .json or .jsonl "
        "file, or a folder of Kaldi's, Hugging Face's or LibriSpeech's layout."
    )


def _in_folder(folder: Path) -> tuple[Callable[[], Entries[Recording]], list[str]]:
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


def _objects(place: str) -> Entries[Recording]:
    return made(place, objects(place), _of_object)


def _table(place: str) -> Entries[Recording]:
    lines = numbered_lines(place)
    first = list(islice(lines, 3))
    if is_wav2vec(place, [line for _, line in first]):
        return wav2vec_rows(place, chain(first, lines))

    forms = ["{}", *(form for name, form in _FOLDERS.items() if os.path.isdir(beside(place, name)))]
    located = partial(_located, forms, place)
    rows = table(place, chain(first, lines), NAMES, lambda path: os.path.isfile(located(path)))
    return made(place, rows, partial(_of_columns, located))


def _of_columns(
    located: Callable[[str], str], place: str, number: int, row: Columns
) -> Recording | str:
    times = [_cell(row.more, names) for names in (_STARTS, _ENDS, _LENGTHS)]
    return _recording(place, number, located(row.path), row.text, *times)


def _of_object(place: str, number: int, row: dict) -> Recording | str:
    path, text = (field(row, names) for names in NAMES)
    if not path or text is None:
        return 'not an object with the texts "audio_filepath" and "text"'
    times = [
        next((row[name] for name in names if row.get(name) is not None), None)
        for names in (_STARTS, _ENDS, _LENGTHS)
    ]
    return _recording(place, number, beside(place, path), text, *times)


def _cell(cells: dict[str, str], names: Sequence[str]) -> float | str | None:
    """The first of some cells that is there, as a number if it is one; its comma may be a point."""
    cell = next((cells[name].strip() for name in names if cells.get(name, "").strip()), None)
    try:
        return None if cell is None else float(cell.replace(",", "."))
    except ValueError:
        return cell


def _recording(
    place: str, number: int, path: str, text: str, start: object, end: object, length: object
) -> Recording | str:
    for seconds in (start, end, length):
        if seconds is not None and not _is_seconds(seconds):
            return "the offset, end or duration is no number of seconds"
    if start is None and end is None:
        # A duration alone only says how long the file is, and often roundly.
        begin, stop = 0.0, None
    else:
        begin = float(start or 0)
        stop = end if end is not None else None if length is None else begin + length
    if length == 0 or (stop is not None and stop <= begin):
        return "the recording is empty"
    stop = None if stop is None else float(stop)
    return Recording(path, text, place, number, begin, stop)


def _is_seconds(value: object) -> bool:
    """Whether a value is a number that a time can have: from 0 to thirty years."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def _located(forms: Sequence[str], place: str, path: str) -> str:
    """Where a recording is, or would be."""
    first, *more = (beside(place, form.format(path)) for form in forms)
    if not more or os.path.isfile(first):
        return first
    return next(filter(os.path.isfile, more), first)


def _kaldi(folder: Path) -> Entries[Recording]:
    texts = {name: text for _, name, text in _entries(folder / "text") if text is not None}
    sounds = {}
    place = str(folder / "wav.scp")
    for number, name, path in _entries(folder / "wav.scp"):
        if path is not None and path.endswith("|"):
            yield place, number, "piped through a program, which is not run: write a file of it"
            continue
        sounds[name] = number, path
    if (folder / "segments").is_file():
        yield from _segments(str(folder / "segments"), sounds, place, texts)
        return
    for name, (number, path) in sounds.items():
        if not path or name not in texts:
            yield place, number, "no path" if not path else "no transcript in the file text"
        else:
            yield place, number, Recording(beside(place, path), texts[name], place, number)


def _segments(place: str, sounds: dict, scp: str, texts: dict[str, str]) -> Entries[Recording]:
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
    """(line number, name, what is after the first space); None if the line is no text."""
    for number, line in numbered_lines(path):
        if isinstance(line, BadLine):
            yield number, f"line {number}", None
        elif line.strip():
            name, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
            yield number, name, rest.strip()
