"""Folders in LibriSpeech's layout."""

from pathlib import Path

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.lists.lines import numbered_lines, text_of
from kerasseq.data.sound.recordings import Recording, SoundCorpus, find_sound_file


def read_librispeech(folder: Path) -> Entries[Recording]:
    """Yields the recordings of a folder with speaker/chapter/speaker-chapter.trans.txt."""
    for place in sorted(folder.glob("*/*/*.trans.txt")):
        speaker = place.parent.parent.name
        for number, line in numbered_lines(place):
            name, _, text = text_of(line).partition(" ")
            path = find_sound_file(place.parent / name)
            row = Recording(path, text, str(place), number, speaker=speaker)
            yield str(place), number, row if name else "no name and transcript"


def librispeech_corpus(folder: Path) -> SoundCorpus:
    """Returns the corpus of a folder in LibriSpeech's layout."""
    return ListedExamples(lambda: read_librispeech(folder), [], str(folder), "recording")
