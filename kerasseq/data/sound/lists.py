"""Lists of recordings that users have."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

from kerasseq.data.examples import Entries
from kerasseq.data.files import Paths, check_file
from kerasseq.data.lists.columns import Names
from kerasseq.data.lists.entries import (
    Columns,
    Reader,
    ReadLists,
    find_field,
    find_metadata,
    join_to_list,
    make_entries,
    read_objects,
    read_table,
    reader_of_file,
)
from kerasseq.data.lists.lines import BadLine, numbered_lines
from kerasseq.data.sound.librispeech import read_librispeech
from kerasseq.data.sound.recordings import Recording
from kerasseq.data.sound.wav2vec import find_transcripts, is_wav2vec, read_wav2vec
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
_SPEAKERS = ("speaker", "speaker_id", "client_id", "spk_id", "spk", "speaker_name")

# The folders of recordings beside the lists of Common Voice and of LJ Speech.
_FOLDERS = {"clips": "clips/{}", "wavs": "wavs/{}.wav"}


class RecordingCorpus(ReadLists[Recording]):
    r"""The recordings of lists in the formats that are in common use.

    | list | format |
    | --- | --- |
    | folder with `wav.scp` and `text` | Kaldi's, with or without `segments`; no pipes |
    | folder with `metadata.csv` or `metadata.jsonl` | Hugging Face's audiofolder |
    | folder with `*/*/*.trans.txt` | a part of LibriSpeech |
    | `.json`, `.jsonl`, `.ndjson` | a NeMo manifest: an object a line |
    | `.csv`, `.tsv`, `.txt` | a table with or without a header; LJ Speech; Common Voice |
    | `.tsv` with `.wrd` or `.ltr` beside it | a wav2vec manifest |

    The objects of a manifest have "audio_filepath", "text" and, for a part of a file, "offset" and
    "duration" or "start" and "end", in seconds.

    The header of a table names a column of paths (`path`, `file_name`, ...), a column of texts
    (`text`, `transcription`, `sentence`, ...) and, for parts of files, columns of seconds (`start`
    or `offset`, `end` or `duration`). A table without a header has paths and texts. If it has more
    columns, the first one that is not all numbers has the texts; if a later column looks more like
    texts, the list is refused. Cells can be in quotes.

    A column or field of speakers (`speaker`, `speaker_id`, `client_id`, ...), Kaldi's `utt2spk` and
    LibriSpeech's folders say who speaks.

    Relative paths are relative to the folder of the list. Several lists are read one after the
    other. Entries that cannot be used are left out and counted in `problems`.

    Args:
        lists: a path, or several.

    Raises:
        UserError: at once, if a list is missing or has another format; while reading, if it is
            damaged, names a program instead of a file, or has no usable recording.

    Example:

    >>> from pathlib import Path
    >>> from kerasseq.data import RecordingCorpus
    >>> Path("one.wav").touch()
    >>> Path("list.csv").write_text("path,text\none.wav,one\ntwo.wav,two\n")
    34
    >>> corpus = RecordingCorpus("list.csv")
    >>> [(recording.path, recording.text) for recording in corpus]
    [('one.wav', 'one')]
    >>> print(corpus.problems)
    1 left out: 1 × there is no such recording
      list.csv:3: there is no such recording (two.wav)
    """

    def __init__(self, lists: Paths):
        super().__init__(lists, _open_list, "recording")


def _open_list(path: str) -> Reader[Recording]:
    if os.path.isdir(path):
        return _open_folder(Path(path))
    if os.path.basename(path) == "wav.scp":
        check_file(path)
        return _open_folder(Path(path).parent)
    layouts = "Kaldi's, Hugging Face's or LibriSpeech's"
    read = reader_of_file(path, _read_table, _read_objects, "recording", layouts)
    return read, [path, *find_transcripts(path)]


def _open_folder(folder: Path) -> Reader[Recording]:
    kaldi = [folder / name for name in ("wav.scp", "text", "segments")]
    if kaldi[0].is_file():
        if not kaldi[1].is_file():
            raise UserError(f"{folder} has wav.scp but no text.")
        return partial(_read_kaldi, folder), [str(file) for file in kaldi if file.is_file()]
    if file := find_metadata(folder):
        return _open_list(str(file))
    if next(folder.glob("*/*/*.trans.txt"), None):
        return partial(read_librispeech, folder), []
    raise UserError(
        f"{folder} is no folder of recordings: it has neither wav.scp and text (Kaldi), nor "
        "metadata.csv or metadata.jsonl (audiofolder), nor */*/*.trans.txt (LibriSpeech)."
    )


def _read_objects(place: str) -> Entries[Recording]:
    return make_entries(place, read_objects(place), _from_object)


def _read_table(place: str) -> Entries[Recording]:
    lines = numbered_lines(place)
    first = list(islice(lines, 3))
    if is_wav2vec(place, [line for _, line in first]):
        return read_wav2vec(place, chain(first, lines))

    forms = [
        "{}",
        *(form for name, form in _FOLDERS.items() if os.path.isdir(join_to_list(place, name))),
    ]
    locate = partial(_locate, forms, place)
    rows = read_table(place, chain(first, lines), NAMES, lambda path: os.path.isfile(locate(path)))
    return make_entries(place, rows, partial(_from_columns, locate))


def _from_columns(
    locate: Callable[[str], str], place: str, number: int, row: Columns
) -> Recording | str:
    times = [_number_in(row.more, names) for names in (_STARTS, _ENDS, _LENGTHS)]
    speaker = next((row.more[name] for name in _SPEAKERS if row.more.get(name, "").strip()), "")
    return _make_recording(place, number, locate(row.path), row.text, speaker, *times)


def _from_object(place: str, number: int, row: dict) -> Recording | str:
    path, text = (find_field(row, names) for names in NAMES)
    if not path or text is None:
        return 'not an object with the texts "audio_filepath" and "text"'
    times = [
        next((row[name] for name in names if row.get(name) is not None), None)
        for names in (_STARTS, _ENDS, _LENGTHS)
    ]
    speaker = next((row[name] for name in _SPEAKERS if isinstance(row.get(name), str | int)), "")
    return _make_recording(place, number, join_to_list(place, path), text, str(speaker), *times)


def _number_in(cells: dict[str, str], names: Sequence[str]) -> float | str | None:
    """Returns the first cell that is not empty, as a number if it is one, with point or comma."""
    cell = next((cells[name].strip() for name in names if cells.get(name, "").strip()), None)
    try:
        return None if cell is None else float(cell.replace(",", "."))
    except ValueError:
        return cell


def _make_recording(
    place: str,
    number: int,
    path: str,
    text: str,
    speaker: str,
    start: object,
    end: object,
    length: object,
) -> Recording | str:
    for seconds in (start, end, length):
        if seconds is not None and not _is_seconds(seconds):
            return "the offset, end or duration is no number of seconds"
    if start is None and end is None:
        # A duration alone is the length of the file, and often a rounded one.
        begin, stop = 0.0, None
    else:
        begin = float(start or 0)
        stop = end if end is not None else None if length is None else begin + length
    if length == 0 or (stop is not None and stop <= begin):
        return "the recording is empty"
    stop = None if stop is None else float(stop)
    return Recording(path, text, place, number, begin, stop, speaker.strip())


def _is_seconds(value: object) -> bool:
    """Tells whether a value is a number of seconds, from 0 to thirty years."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def _locate(forms: Sequence[str], place: str, path: str) -> str:
    """Returns the path of a recording: the first of the forms that is there, or the first form."""
    first, *more = (join_to_list(place, form.format(path)) for form in forms)
    if not more or os.path.isfile(first):
        return first
    return next(filter(os.path.isfile, more), first)


def _read_kaldi(folder: Path) -> Entries[Recording]:
    texts = _read_names(folder / "text")
    speakers = _read_names(folder / "utt2spk") if (folder / "utt2spk").is_file() else {}
    sounds = {}
    place = str(folder / "wav.scp")
    for number, name, path in _read_entries(folder / "wav.scp"):
        if path is not None and path.endswith("|"):
            yield place, number, "piped through a program, which is not run: write a file of it"
            continue
        sounds[name] = number, path
    if (folder / "segments").is_file():
        yield from _read_segments(str(folder / "segments"), sounds, place, texts, speakers)
        return
    for name, (number, path) in sounds.items():
        if not path or name not in texts:
            yield place, number, "no path" if not path else "no transcript in the file text"
        else:
            path, speaker = join_to_list(place, path), speakers.get(name, "")
            yield place, number, Recording(path, texts[name], place, number, speaker=speaker)


def _read_names(path: Path) -> dict[str, str]:
    """Returns the texts of a file of Kaldi's by their names."""
    return {name: text for _, name, text in _read_entries(path) if text is not None}


def _read_segments(
    place: str, sounds: dict, scp: str, texts: dict[str, str], speakers: dict[str, str]
) -> Entries[Recording]:
    for number, name, rest in _read_entries(Path(place)):
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
        where = join_to_list(scp, path), texts[name], place, number, times[0], end_time
        yield place, number, Recording(*where, speakers.get(name, ""))


def _read_entries(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """Yields (line number, name, text behind the first space); the text of a bad line is None."""
    for number, line in numbered_lines(path):
        if isinstance(line, BadLine):
            yield number, f"line {number}", None
        elif line.strip():
            name, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
            yield number, name, rest.strip()
