"""The pairs of a run."""

from collections.abc import Sequence
from typing import Any

from kerasseq.applications.common import parts
from kerasseq.applications.common.parts import Parts
from kerasseq.data import FileCorpus
from kerasseq.data.public import datasets


def read_parts(config: parts.DataConfig, data_dir: str | None = None) -> Parts:
    """Reads the pairs that a configuration names; see `common.parts.read_parts`."""

    def make_demo() -> Parts:
        # Here, since the words of these phrases come in a package of their own.
        from kerasseq.applications.demos.phrases import corpus

        languages = {"source": config.source or "en", "target": config.target or "de"}
        return Parts.from_demo(corpus, **languages, seed=config.seed)._replace(**languages)

    def read_dataset(dataset: Any) -> dict[str, Any]:
        source, target = dataset.direction(config.source or None, config.target or None)
        pairs = datasets.pairs(dataset.name, source, target, data_dir)
        return {**pairs, "source": source, "target": target}

    def read_files(part: str, files: Sequence[str]) -> FileCorpus:
        limit = {} if part == "test" else {"limit": config.limit}
        return FileCorpus(files, languages=(config.source, config.target), **limit)

    pairs = parts.read_parts(config, "text", read_dataset, read_files, make_demo)
    files = bool(config.train)
    return pairs._replace(source=config.source, target=config.target) if files else pairs
