"""The Free Spoken Digit Dataset."""

import os
import re
from pathlib import Path

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.public.dataset import Dataset
from kerasseq.data.sound.recordings import Recording, SoundCorpus

_DIGITS = "zero one two three four five six seven eight nine".split()


def _read(folder: Path) -> Entries[Recording]:
    """Yields the recordings in the order of their names; the line is the place in this order."""
    place = str(folder / "recordings")
    for number, path in enumerate(sorted(Path(place).glob("*.wav")), 1):
        if match := re.fullmatch(r"(\d)_(\w+)_\d+", path.stem):
            text = _DIGITS[int(match[1])]
            yield place, number, Recording(str(path), text, place, number, speaker=match[2])
        else:
            yield place, number, f"{path.name} is no <digit>_<speaker>_<index>.wav"


def _split(data_dir: str | os.PathLike | None) -> dict[str, SoundCorpus]:
    """Takes index 0 to 4 for testing, as its publisher says, and 45 to 49 for validation."""
    folder = FSDD.locate(data_dir, ["recordings"])
    whole = ListedExamples(lambda: _read(folder), [], "fsdd", "recording")
    ranges = {"train": range(5, 45), "valid": range(45, 50), "test": range(5)}

    def part(name: str) -> SoundCorpus:
        return whole.subset(
            lambda some: int(some.path[:-4].rpartition("_")[2]) in ranges[name], name
        )

    return {name: part(name) for name in ranges}


FSDD = Dataset(
    name="fsdd",
    title="Free Spoken Digit Dataset, 8 kHz; 6 speakers",
    languages=("en",),
    licence="CC BY-SA 4.0",
    homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
    pairs=3_000,
    folder="fsdd",
    files=(),
    split=_split,
    kind="sound",
    bytes=21_000_000,
    source="download the repository that is its homepage and put its folder recordings in "
    "this folder, with <digit>_<speaker>_<index>.wav",
)
