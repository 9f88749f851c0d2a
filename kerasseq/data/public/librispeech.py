"""LibriSpeech: books that are read aloud."""

import os

from kerasseq.data.public.dataset import Dataset, File
from kerasseq.data.sound.librispeech import librispeech_corpus
from kerasseq.data.sound.recordings import SoundCorpus
from kerasseq.errors import UserError

_URL = "https://www.openslr.org/resources/12/"
_FILES = {
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
_PARTS = {"train": "train-clean-100", "valid": "dev-clean", "test": "test-clean"}


def _split(data_dir: str | os.PathLike | None) -> dict[str, SoundCorpus]:
    folder = LIBRISPEECH.locate(data_dir, ["train-clean-100"])
    missing = [name for name in _PARTS.values() if not (folder / name).is_dir()]
    if missing:
        raise UserError(f"{folder} lacks {', '.join(missing)}, which librispeech needs too.")
    return {part: librispeech_corpus(folder / name) for part, name in _PARTS.items()}


LIBRISPEECH = Dataset(
    name="librispeech",
    title="LibriSpeech, read books, 16 kHz: train-clean-100, dev-clean, test-clean",
    languages=("en",),
    licence="CC BY 4.0",
    homepage="https://www.openslr.org/12/",
    pairs=33_862,
    folder="LibriSpeech",
    files=tuple(
        File(f"{name}.tar.gz", size, sha256, (f"{_URL}{name}.tar.gz",), name)
        for name, (size, sha256) in _FILES.items()
    ),
    split=_split,
    kind="sound",
)
