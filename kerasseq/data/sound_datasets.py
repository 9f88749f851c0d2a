"""Public data sets of speech, in their official layouts."""

import os
import re
from itertools import zip_longest
from pathlib import Path

from kerasseq.data.dataset import Dataset, File, located
from kerasseq.data.examples import ListedExamples, Part, cut_off
from kerasseq.data.lines import numbered_lines, text_of
from kerasseq.data.recordings import Recording, Rows, SoundCorpus, speaker_folder
from kerasseq.errors import UserError
from kerasseq.media.endings import SOUNDS

# As the data sets are published, and then as people convert them.
_ENDINGS = (".flac", ".wav", ".sph", *SOUNDS)


def sound_file(stem: Path) -> str:
    """The file of that name with the first of the endings of sound files that there is."""
    found = (f"{stem}{ending}" for ending in _ENDINGS if os.path.isfile(f"{stem}{ending}"))
    return next(found, f"{stem}{_ENDINGS[0]}")


def _an4_rows(folder: Path, part: str) -> Rows:
    etc = folder / "etc"
    names = (text_of(name) for _, name in numbered_lines(etc / f"an4_{part}.fileids"))
    place = etc / f"an4_{part}.transcription"
    lines = (text_of(line) for _, line in numbered_lines(place))
    for number, (line, name) in enumerate(zip_longest(lines, names), 1):
        found = re.fullmatch(r"(?:<s> )?(.*?)(?: </s>)? \((\S+)\)\s*", line or "")
        if not found or not name or Path(name).name != found[2]:
            yield str(place), number, "not the transcript of the recording on that line of fileids"
            continue
        path = sound_file(folder / "wav" / name.strip())
        yield str(place), number, Recording(path, found[1], str(place), number)


def _an4(data_dir: str | os.PathLike | None) -> dict[str, SoundCorpus]:
    """Train is cut by speaker: whole speakers, about 100 recordings, drawn by a hash."""
    folder = located("an4", "an4", "etc/an4_train.fileids", data_dir)

    def corpus(part: str) -> SoundCorpus:
        lists = [folder / "etc" / f"an4_{part}.{end}" for end in ("fileids", "transcription")]
        return ListedExamples(lambda: _an4_rows(folder, part), lists, f"an4's {part} part")

    train, valid = cut_off(corpus("train"), 100, speaker_folder)
    return {"train": train, "valid": valid, "test": corpus("test")}


_DIGITS = "zero one two three four five six seven eight nine".split()


def _fsdd_rows(folder: Path) -> Rows:
    """In the order of their names; the line is the place in that order."""
    place = str(folder / "recordings")
    for number, path in enumerate(sorted(Path(place).glob("*.wav")), 1):
        if found := re.fullmatch(r"(\d)_\w+_\d+", path.stem):
            yield place, number, Recording(str(path), _DIGITS[int(found[1])], place, number)
        else:
            yield place, number, f"{path.name} is no <digit>_<speaker>_<index>.wav"


def _fsdd(data_dir: str | os.PathLike | None) -> dict[str, SoundCorpus]:
    """Index 0 to 4 is for testing, as its publisher says, and 45 to 49 for validation."""
    folder = located("fsdd", "fsdd", "recordings", data_dir)
    whole = ListedExamples(lambda: _fsdd_rows(folder), [], "fsdd")
    ranges = {"train": range(5, 45), "valid": range(45, 50), "test": range(5)}

    def part(name: str) -> SoundCorpus:
        return Part(
            whole, lambda some: int(some.path[:-4].rpartition("_")[2]) in ranges[name], name
        )

    return {name: part(name) for name in ranges}


def librispeech_rows(folder: Path) -> Rows:
    """The recordings of a part of LibriSpeech: speaker/chapter/speaker-chapter.trans.txt."""
    for place in sorted(folder.glob("*/*/*.trans.txt")):
        for number, line in numbered_lines(place):
            name, _, text = text_of(line).partition(" ")
            path = sound_file(place.parent / name)
            row = Recording(path, text, str(place), number) if name else "no name and transcript"
            yield str(place), number, row


def librispeech_part(folder: Path) -> SoundCorpus:
    """A folder in LibriSpeech's layout as a corpus."""
    return ListedExamples(lambda: librispeech_rows(folder), [], str(folder))


_LIBRISPEECH_URL = "https://www.openslr.org/resources/12/"
_LIBRISPEECH_FILES = {
    "train-clean-100": (
        6_387_309_499,
        "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
    ),
    "dev-clean": (
        337_926_286,
        "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    ),
    "test-clean": (
        346_663_984,
        "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
    ),
}
_LIBRISPEECH_PARTS = {"train": "train-clean-100", "valid": "dev-clean", "test": "test-clean"}


def _librispeech(data_dir: str | os.PathLike | None) -> dict[str, SoundCorpus]:
    folder = located("librispeech", "LibriSpeech", "train-clean-100", data_dir)
    missing = [name for name in _LIBRISPEECH_PARTS.values() if not (folder / name).is_dir()]
    if missing:
        raise UserError(f"{folder} lacks {', '.join(missing)}, which librispeech needs too.")
    return {part: librispeech_part(folder / name) for part, name in _LIBRISPEECH_PARTS.items()}


SOUND_DATASETS = (
    Dataset(
        name="an4",
        title="CMU AN4, spelled words, numbers and commands, 16 kHz; 84 speakers",
        languages=("en",),
        licence="BSD-style, any purpose",
        homepage="http://www.speech.cs.cmu.edu/databases/an4/",
        pairs=1_078,
        folder="an4",
        files=(),
        split=_an4,
        kind="sound",
        bytes=64_000_000,
        source="take an4_sphere.tar.gz from its homepage and unpack it, so that this folder has "
        "etc/an4_train.fileids and wav/an4_clstk",
    ),
    Dataset(
        name="fsdd",
        title="Free Spoken Digit Dataset, 8 kHz; 6 speakers",
        languages=("en",),
        licence="CC BY-SA 4.0",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        pairs=3_000,
        folder="fsdd",
        files=(),
        split=_fsdd,
        kind="sound",
        bytes=21_000_000,
        source="download the repository that is its homepage and put its folder recordings in "
        "this folder, with <digit>_<speaker>_<index>.wav",
    ),
    Dataset(
        name="librispeech",
        title="LibriSpeech, read books, 16 kHz: train-clean-100, dev-clean, test-clean",
        languages=("en",),
        licence="CC BY 4.0",
        homepage="https://www.openslr.org/12/",
        pairs=33_862,
        folder="LibriSpeech",
        files=tuple(
            File(f"{name}.tar.gz", size, sha256, (f"{_LIBRISPEECH_URL}{name}.tar.gz",), name)
            for name, (size, sha256) in _LIBRISPEECH_FILES.items()
        ),
        split=_librispeech,
        kind="sound",
    ),
)
