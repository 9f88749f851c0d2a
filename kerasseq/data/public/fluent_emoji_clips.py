"""Animated emoji with their names: 16 frames of 64 x 64 pixels and a caption each."""

import os
import re
from functools import partial
from pathlib import Path

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.lists.columns import Names
from kerasseq.data.lists.entries import Columns, make_entries, read_table
from kerasseq.data.lists.lines import numbered_lines
from kerasseq.data.pictures.captioned import Captioned, CaptionedCorpus
from kerasseq.data.public.dataset import Dataset
from kerasseq.data.splitting import holdout

_COLUMNS = Names(("file",), ("caption",))
_TEST, _VALID = 0.2, 0.1  # of all, and of what is left


def _clip(folder: Path, place: str, line: int, row: Columns) -> Captioned:
    return Captioned(str(folder / "clips" / row.path), (row.text,), place, line)


def drawing_group(clip: Captioned) -> str:
    """Returns a text that is equal for clips of nearly the same drawing.

    "guard", "man guard" and "person guard" often differ in a few shades alone; the drawing of a
    woman is another one.
    """
    return re.sub(r"^(man|men|people|person)\b[ :]*(?=.)", "", clip.texts[0])


def _split(data_dir: str | os.PathLike | None) -> dict[str, CaptionedCorpus]:
    """Splits by a hash: a fifth of the clips for testing, a tenth of the rest for validation."""
    folder = FLUENT_EMOJI_CLIPS.locate(data_dir, ["captions.tsv"])
    captions = str(folder / "captions.tsv")

    def entries() -> Entries[Captioned]:
        rows = read_table(captions, numbered_lines(captions), _COLUMNS)
        return make_entries(captions, rows, partial(_clip, folder))

    whole: CaptionedCorpus = ListedExamples(entries, [captions], "fluent-emoji-clips", "picture")
    rest, test = holdout(whole, _TEST, group=drawing_group)
    train, valid = holdout(rest, _VALID, group=drawing_group)
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
