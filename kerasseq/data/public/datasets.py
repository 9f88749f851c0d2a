"""All public data sets, by their names."""

import os

from kerasseq.data.pictures.captioned import CaptionedCorpus
from kerasseq.data.public.an4 import AN4
from kerasseq.data.public.dataset import Dataset
from kerasseq.data.public.flickr8k import FLICKR8K
from kerasseq.data.public.fluent_emoji_clips import FLUENT_EMOJI_CLIPS
from kerasseq.data.public.fsdd import FSDD
from kerasseq.data.public.librispeech import LIBRISPEECH
from kerasseq.data.public.multi30k import MULTI30K
from kerasseq.data.public.tatoeba import TATOEBA
from kerasseq.data.sound.recordings import SoundCorpus
from kerasseq.data.text.corpus import PairCorpus
from kerasseq.errors import UserError


def find(name: str) -> Dataset:
    """Returns the data set of a name.

    Raises:
        UserError: if there is no such data set.
    """
    if name not in DATASETS:
        raise UserError(f"There is no data set {name!r}; there are {', '.join(DATASETS)}.")
    return DATASETS[name]


def pairs(
    name: str,
    source: str | None = None,
    target: str | None = None,
    data_dir: str | os.PathLike | None = None,
) -> dict[str, PairCorpus]:
    """Returns the corpora "train", "valid" and "test" of a data set of texts.

    Args:
        name: of the data set.
        source: a language code; None takes the first language of the set.
        target: a language code; None takes the first other language.
        data_dir: see `data_folder`.

    Raises:
        UserError: if there is no such set or language, or if a file is missing.
    """
    dataset = find_of_kind(name, "text")
    source, target = dataset.direction(source, target)
    for code in (source, target):
        if code not in dataset.languages:
            known = ", ".join(dataset.languages)
            raise UserError(f"{name} has no language {code!r}; it has {known}.")
    if source == target:
        raise UserError(f"Source and target are both {source!r}.")
    return dataset.split(data_dir, source, target)


def recordings(name: str, data_dir: str | os.PathLike | None = None) -> dict[str, SoundCorpus]:
    """Returns the corpora "train", "valid" and "test" of a data set of speech.

    Args:
        data_dir: see `data_folder`.

    Raises:
        UserError: if there is no such set, or if a file is missing.
    """
    return find_of_kind(name, "sound").split(data_dir)


def pictures(name: str, data_dir: str | os.PathLike | None = None) -> dict[str, CaptionedCorpus]:
    """Returns the corpora "train", "valid" and "test" of a data set of pictures.

    Args:
        data_dir: see `data_folder`.

    Raises:
        UserError: if there is no such set, or if a file is missing.
    """
    return find_of_kind(name, "picture").split(data_dir)


def find_of_kind(name: str, kind: str) -> Dataset:
    """Returns the data set of a name.

    Args:
        name: of the data set.
        kind: "text", "sound" or "picture".

    Raises:
        UserError: if there is no such data set, or if it is of another kind.
    """
    dataset = find(name)
    if dataset.kind != kind:
        raise UserError(f"{name} is {dataset.kind}: use it with `kerasseq train {dataset.head}`.")
    return dataset


DATASETS = {
    dataset.name: dataset
    for dataset in (MULTI30K, *TATOEBA, AN4, FSDD, LIBRISPEECH, FLICKR8K, FLUENT_EMOJI_CLIPS)
}
