"""Public data sets: what they are, where they come from, and how they split."""

import os
from pathlib import Path

from kerasseq.data.corpus import Corpus, Part, fraction_range
from kerasseq.data.dataset import Dataset, File, data_folder
from kerasseq.data.emoji_clips import EMOJI_CLIPS
from kerasseq.data.picture_datasets import PICTURE_DATASETS
from kerasseq.data.pictures import CaptionedCorpus
from kerasseq.data.readers import FileCorpus
from kerasseq.data.recordings import SoundCorpus
from kerasseq.data.sound_datasets import SOUND_DATASETS
from kerasseq.errors import UserError


def find(name: str) -> Dataset:
    """The data set of that name.

    Raises:
        UserError: if there is none.
    """
    if name not in DATASETS:
        raise UserError(f"There is no data set {name!r}; there are {', '.join(DATASETS)}.")
    return DATASETS[name]


def locate(
    name: str, data_dir: str | os.PathLike | None = None, files: tuple[str, ...] | None = None
) -> Path:
    """The folder that has a data set: the data folder or the set's own folder in it.

    Args:
        data_dir: see `data_folder`.
        files: the names that are needed; None needs all.

    Raises:
        UserError: if no folder has them all.
    """
    dataset, top = find(name), data_folder(data_dir)
    needed = files or tuple(file.name for file in dataset.files)
    folders = [top, top / dataset.folder]
    for folder in folders:
        if all((folder / file).is_file() for file in needed):
            return folder
    missing = next(file for file in needed if not (folders[1] / file).is_file())
    raise UserError(
        f"{name} is neither in {top} nor in {folders[1]} ({missing} is missing): fetch it with "
        f"`kerasseq datasets fetch {name}`, or name a folder that has it with --data-dir or "
        "KERASSEQ_DATA."
    )


def pairs(
    name: str,
    source: str | None = None,
    target: str | None = None,
    data_dir: str | os.PathLike | None = None,
) -> dict[str, Corpus]:
    """The corpora "train", "valid" and "test" of a data set.

    Args:
        source: language code; None takes the set's first.
        target: language code; None takes the first other one.
        data_dir: see `data_folder`.

    Raises:
        UserError: if the set, a language or a file is not there.
    """
    dataset = of_kind(name, "text")
    source, target = dataset.direction(source, target)
    for code in (source, target):
        if code not in dataset.languages:
            known = ", ".join(dataset.languages)
            raise UserError(f"{name} has no language {code!r}; it has {known}.")
    if source == target:
        raise UserError(f"Source and target are both {source!r}.")
    return dataset.split(data_dir, source, target)


def recordings(name: str, data_dir: str | os.PathLike | None = None) -> dict[str, SoundCorpus]:
    """The corpora "train", "valid" and "test" of a data set of speech.

    Args:
        data_dir: see `data_folder`.

    Raises:
        UserError: if the set, or a file of it, is not there.
    """
    return of_kind(name, "sound").split(data_dir)


def pictures(name: str, data_dir: str | os.PathLike | None = None) -> dict[str, CaptionedCorpus]:
    """The corpora "train", "valid" and "test" of a data set of pictures.

    Args:
        data_dir: see `data_folder`.

    Raises:
        UserError: if the set, or a file of it, is not there.
    """
    return of_kind(name, "picture").split(data_dir)


def of_kind(name: str, kind: str) -> Dataset:
    """The data set of a name.

    Args:
        kind: "text", "sound" or "picture".

    Raises:
        UserError: there is none, or it is of another kind.
    """
    dataset = find(name)
    if dataset.kind != kind:
        raise UserError(f"{name} is {dataset.kind}: use it with `kerasseq train {dataset.head}`.")
    return dataset


_MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
_MULTI30K_FILES = {
    "train.en.gz": (568929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
    "train.de.gz": (637044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
    "train.fr.gz": (604242, "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c"),
    "train.cs.gz": (593827, "a65adb8b32e3bc664f21ecba7a6e7f6950fd1f405e135f7c312faabdb6255077"),
    "val.en.gz": (21650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
    "val.de.gz": (24681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
    "val.fr.gz": (23001, "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9"),
    "val.cs.gz": (22096, "b63226e05c4bd5dd6a42897d74b86a1b9d2c31498252c572b1ea7f7996927fcc"),
    "test_2016_flickr.en.gz": (
        21077,
        "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    ),
    "test_2016_flickr.de.gz": (
        22890,
        "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    ),
    "test_2016_flickr.fr.gz": (
        22310,
        "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
    ),
    "test_2016_flickr.cs.gz": (
        22572,
        "200a4a74cc9560f051924abb9803be008d1908d77f747e9141aeb86dfd2797f1",
    ),
}
_MULTI30K_PARTS = {"train": "train", "valid": "val", "test": "test_2016_flickr"}


def _multi30k(data_dir, source, target):
    names = {
        part: (f"{stem}.{source}.gz", f"{stem}.{target}.gz")
        for part, stem in _MULTI30K_PARTS.items()
    }
    folder = locate("multi30k", data_dir, sum(names.values(), ()))
    return {part: FileCorpus([folder / file for file in files]) for part, files in names.items()}


def _tatoeba(code, iso, pairs, size, sha256, *copies):
    """English and another language: no split is published, so one is cut by English sentence.

    1 % of the sentences are for validation and 1 % for testing; the same ones for everybody and
    in both directions.
    """
    name, file = f"tatoeba-{iso}", f"{iso}-eng.zip"

    def split(data_dir, source, target):
        path = locate(name, data_dir) / file
        english_first = FileCorpus([path], swap=source != "en")
        side = "source" if source == "en" else "target"
        ranges = {"test": (0.0, 0.01), "valid": (0.01, 0.02), "train": (0.02, 1.0)}
        return {
            part: Part(english_first, *fraction_range(*ranges[part]), side=side)
            for part in ("train", "valid", "test")
        }

    return Dataset(
        name=name,
        title=f"Tatoeba, short sentences, English and {'German' if code == 'de' else 'French'}",
        languages=("en", code),
        licence="CC BY 2.0 FR",
        homepage="https://www.manythings.org/anki/",
        pairs=pairs,
        folder="tatoeba",
        files=(File(file, size, sha256, (*copies, f"https://www.manythings.org/anki/{file}")),),
        split=split,
    )


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="multi30k",
            title="Multi30k, descriptions of pictures; tested on test_2016_flickr",
            languages=("en", "de", "fr", "cs"),
            licence="non-commercial research",
            homepage="https://github.com/multi30k/dataset",
            pairs=31_014,
            folder="multi30k",
            files=tuple(
                File(name, size, sha256, (_MULTI30K + name,))
                for name, (size, sha256) in _MULTI30K_FILES.items()
            ),
            split=_multi30k,
        ),
        _tatoeba(
            "de",
            "deu",
            169_813,
            4_012_023,
            "b7688f84f99fa33c17397c14d8bd9cef1fdeb2ee0bf50074767023aee8926e28",
        ),
        _tatoeba(
            "fr",
            "fra",
            167_130,
            3_424_571,
            "161c93f18da3a7e6df611ed961426613260de8af06ccf8c79c977afe5135ac44",
            # A copy that stays as it is; the publisher's own file grows with the project.
            "https://storage.googleapis.com/download.tensorflow.org/data/fra-eng.zip",
        ),
        *SOUND_DATASETS,
        *PICTURE_DATASETS,
        EMOJI_CLIPS,
    )
}
