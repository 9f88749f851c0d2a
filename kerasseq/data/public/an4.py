"""CMU AN4: spelled words, numbers and commands."""

import os
import re
from itertools import zip_longest
from pathlib import Path

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.lists.lines import numbered_lines, text_of
from kerasseq.data.public.dataset import Dataset
from kerasseq.data.sound.recordings import (
    Recording,
    SoundCorpus,
    find_sound_file,
    speaker_folder,
)
from kerasseq.data.splitting import holdout


def _read(folder: Path, part: str) -> Entries[Recording]:
    etc = folder / "etc"
    names = (text_of(name) for _, name in numbered_lines(etc / f"an4_{part}.fileids"))
    place = etc / f"an4_{part}.transcription"
    lines = (text_of(line) for _, line in numbered_lines(place))
    for number, (line, name) in enumerate(zip_longest(lines, names), 1):
        match = re.fullmatch(r"(?:<s> )?(.*?)(?: </s>)? \((\S+)\)\s*", line or "")
        if not match or not name or Path(name).name != match[2]:
            yield str(place), number, "not the transcript of the recording on that line of fileids"
            continue
        path = find_sound_file(folder / "wav" / name.strip())
        speaker = Path(path).parent.name
        yield str(place), number, Recording(path, match[1], str(place), number, speaker=speaker)


def _split(data_dir: str | os.PathLike | None) -> dict[str, SoundCorpus]:
    """Splits the training part by speaker: about 100 recordings of whole speakers, by a hash."""
    folder = AN4.locate(data_dir, ["etc/an4_train.fileids"])

    def corpus(part: str) -> SoundCorpus:
        lists = [folder / "etc" / f"an4_{part}.{end}" for end in ("fileids", "transcription")]
        name = f"an4's {part} part"
        return ListedExamples(lambda: _read(folder, part), lists, name, "recording")

    train, valid = holdout(corpus("train"), 100, group=speaker_folder)
    return {"train": train, "valid": valid, "test": corpus("test")}


AN4 = Dataset(
    name="an4",
    title="CMU AN4, spelled words, numbers and commands, 16 kHz; 84 speakers",
    languages=("en",),
    licence="BSD-style, any purpose",
    homepage="http://www.speech.cs.cmu.edu/databases/an4/",
    pairs=1_078,
    folder="an4",
    files=(),
    split=_split,
    kind="sound",
    bytes=64_000_000,
    source="take an4_sphere.tar.gz from its homepage and unpack it, so that this folder has "
    "etc/an4_train.fileids and wav/an4_clstk",
)
