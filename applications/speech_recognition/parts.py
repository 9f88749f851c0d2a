"""The recordings of a run."""

from collections.abc import Sequence
from typing import Any

from kerasseq.applications.common import parts
from kerasseq.applications.common.parts import Parts
from kerasseq.data import RecordingCorpus, SoundCorpus
from kerasseq.data.public import datasets


def read_parts(config: parts.DataConfig, data_dir: str | None = None) -> Parts:
    """Reads the recordings that a configuration names; see `common.parts.read_parts`."""

    def make_demo() -> Parts:
        # Here, since the words and the synthesiser come in packages of their own.
        from kerasseq.applications.demos.speech import corpus

        return Parts.from_demo(corpus, seed=config.seed)

    def read_dataset(dataset: Any) -> dict[str, SoundCorpus]:
        return datasets.recordings(dataset.name, data_dir)

    def read_files(part: str, lists: Sequence[str]) -> SoundCorpus:
        return RecordingCorpus(lists)

    return parts.read_parts(config, "sound", read_dataset, read_files, make_demo)
