"""Tatoeba: short sentences and their translations."""

from kerasseq.data.public.dataset import Dataset, File
from kerasseq.data.splitting import fraction
from kerasseq.data.text.lists import FileCorpus


def _tatoeba(code, iso, pairs, size, sha256, *copies):
    """Returns the data set of English and another language.

    Its publisher gives no split, so the English sentences are split by a hash: 1 % for validation
    and 1 % for testing. The parts are the same for everybody and in both directions.
    """
    file = f"{iso}-eng.zip"

    def split(data_dir, source, target):
        path = dataset.locate(data_dir) / file
        english_first = FileCorpus([path], swap=source != "en")
        side = 0 if source == "en" else 1
        ranges = {"test": (0.0, 0.01), "valid": (0.01, 0.02), "train": (0.02, 1.0)}
        return {
            part: fraction(english_first, *ranges[part], group=lambda pair: pair[side])
            for part in ("train", "valid", "test")
        }

    dataset = Dataset(
        name=f"tatoeba-{iso}",
        title=f"Tatoeba, short sentences, English and {'German' if code == 'de' else 'French'}",
        languages=("en", code),
        licence="CC BY 2.0 FR",
        homepage="https://www.manythings.org/anki/",
        pairs=pairs,
        folder="tatoeba",
        files=(File(file, size, sha256, (*copies, f"https://www.manythings.org/anki/{file}")),),
        split=split,
    )
    return dataset


TATOEBA = (
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
)
