"""Animated emoji with their names: 16 frames of 64 x 64 pixels and a caption each."""

import os
import re
from functools import partial
from pathlib import Path

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.layouts import Names
from kerasseq.data.lines import numbered_lines
from kerasseq.data.lists import Columns, made, table
from kerasseq.data.pictures.captioned import Captioned, CaptionedCorpus
from kerasseq.data.public.dataset import Dataset
from kerasseq.data.splitting import holdout

_COLUMNS = Names(("file",), ("caption",))
_TEST, _VALID = 0.2, 0.1  # of all, and of what is left


def _clip(folder: Path, place: str, line: int, row: Columns) -> Captioned:
    return Captioned(str(folder / "clips" / row.path), (row.text,), place, line)


def drawn_alike(clip: Captioned) -> str:
    """The same for a man, a person and, where none is named, an office: "guard", "man guard".

    Those are often one drawing, to a few shades; that of a woman is another.
    """
    return re.sub(r"^(man|men|people|person)\b[ :]*(?=.)", "", clip.texts[0])


def _split(data_dir: str | os.PathLike | None) -> dict[str, CaptionedCorpus]:
    """Cut by a hash: a fifth of the clips for testing, and of the others a tenth for validation."""
    folder = FLUENT_EMOJI_CLIPS.locate(data_dir, ["captions.tsv"])
    captions = str(folder / "captions.tsv")

    def rows() -> Entries[Captioned]:
        found = table(captions, numbered_lines(captions), _COLUMNS)
        return made(captions, found, partial(_clip, folder))

    whole: CaptionedCorpus = ListedExamples(rows, [captions], "fluent-emoji-clips", "picture")
    rest, test = holdout(whole, _TEST, group=drawn_alike)
    train, valid = holdout(rest, _VALID, group=drawn_alike)
    return {"train": train, "valid": valid, "test": test}


FLUENT_EMOJI_CLIPS = Dataset(
    name="fluent-emoji-clips",
    title="Fluent emoji as short clips (16 frames of 64 x 64 pixels), each with its name",
    languages=("en",),
    licence="MIT",
    homepage="https://github.com/microsoft/fluentui-emoji",
    pairs=734,
    folder="fluent_emoji_clips",
    files=(),
    split=_split,
    kind="picture",
    bytes=15_000_000,
    source="lay animated WebP files out in the folder clips, with a file captions.tsv beside it "
    "that has the columns file and caption",
)
