"""Flickr8k: photos with five captions each."""

import os
from pathlib import Path

from kerasseq.data.examples import Entries, ListedExamples
from kerasseq.data.lists.lines import numbered_lines, text_of
from kerasseq.data.pictures.captioned import Captioned, CaptionedCorpus
from kerasseq.data.public.dataset import Dataset

_PARTS = {"train": "train", "valid": "dev", "test": "test"}
_TEXTS = ("text", "Flickr8k_text", ".")
_IMAGES = ("images", "Flicker8k_Dataset", "Flickr8k_Dataset")  # the release's own has that typo


def _read(tokens: Path, names: Path, images: Path) -> Entries[Captioned]:
    """Yields the pictures in the order of a part's list, each with its captions."""
    captions: dict[str, list[str]] = {}
    for number, line in numbered_lines(tokens):
        name, tab, text = text_of(line).partition("\t")
        if not tab or "#" not in name:
            yield str(tokens), number, "not the name of a picture, #, a number, a tab and a caption"
        else:
            captions.setdefault(name.rpartition("#")[0], []).append(text.strip())
    place = str(names)
    for number, line in numbered_lines(names):
        if name := text_of(line).strip():
            texts = tuple(filter(None, captions.get(name, [])))
            yield place, number, Captioned(str(images / name), texts, place, number)


def _split(data_dir: str | os.PathLike | None) -> dict[str, CaptionedCorpus]:
    """Returns the official parts of 6,000, 1,000 and 1,000 pictures."""
    files = [f"{folder}/Flickr8k.token.txt" for folder in _TEXTS]
    folder = FLICKR8K.locate(data_dir, *([file] for file in files))
    tokens = next(folder / file for file in files if (folder / file).is_file())
    images = folder / next((name for name in _IMAGES if (folder / name).is_dir()), _IMAGES[0])

    def corpus(part: str, name: str) -> CaptionedCorpus:
        names = tokens.with_name(f"Flickr_8k.{name}Images.txt")
        return ListedExamples(
            lambda: _read(tokens, names, images),
            [tokens, names],
            f"flickr8k's {part} part",
            "picture",
        )

    return {part: corpus(part, name) for part, name in _PARTS.items()}


FLICKR8K = Dataset(
    name="flickr8k",
    title="Flickr8k, photos of people and animals with five captions each",
    languages=("en",),
    licence="non-commercial research; the photos belong to those who took them",
    homepage="https://hockenmaier.cs.illinois.edu/8k-pictures.html",
    pairs=8_000,
    folder="flickr8k",
    files=(),
    split=_split,
    kind="picture",
    bytes=1_120_000_000,
    source="ask for Flickr8k_Dataset.zip and Flickr8k_text.zip on its homepage and unpack "
    "them, so that this folder has images (or Flicker8k_Dataset) with the photos and text "
    "(or Flickr8k_text) with Flickr8k.token.txt and Flickr_8k.trainImages.txt, devImages and "
    "testImages",
)
