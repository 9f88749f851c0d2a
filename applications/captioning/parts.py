"""The pictures of a run."""

from collections.abc import Sequence
from typing import Any

from kerasseq.applications.common import parts
from kerasseq.applications.common.parts import Parts
from kerasseq.data.pictures.captioned import CaptionedCorpus
from kerasseq.data.pictures.lists import PictureCorpus
from kerasseq.data.public import datasets


def read_parts(config: parts.DataConfig, data_dir: str | None = None) -> Parts:
    """Reads the pictures that a configuration names; see `common.parts.read_parts`."""

    def make_demo() -> Parts:
        # Here, since the drawings and what renders them come in packages of their own.
        from kerasseq.applications.demos.scenes import corpus

        return Parts.from_demo(corpus, seed=config.seed)

    def read_dataset(dataset: Any) -> dict[str, CaptionedCorpus]:
        return datasets.pictures(dataset.name, data_dir)

    def read_files(part: str, lists: Sequence[str]) -> CaptionedCorpus:
        return PictureCorpus(lists, config.images or None)

    return parts.read_parts(config, "picture", read_dataset, read_files, make_demo)
