"""`kerasseq train translation`: from pairs to a model that is measured and saved."""

from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path

from kerasseq.applications.common import training
from kerasseq.applications.common.folds import cross_validate as _cross_validate
from kerasseq.applications.common.head import Head
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.preparation import Prepared
from kerasseq.applications.common.tuning.search import tune as _tune
from kerasseq.applications.translation.config import TranslationConfig, configure
from kerasseq.applications.translation.evaluation import evaluate
from kerasseq.applications.translation.model import build
from kerasseq.applications.translation.parts import read_parts
from kerasseq.applications.translation.preprocessing import (
    learn_preprocessor,
    prepare,
)
from kerasseq.applications.translation.report import report
from kerasseq.applications.translation.space import SPACE
from kerasseq.generation import Greedy
from kerasseq.metrics import bleu
from kerasseq.models import Options, Seq2Seq
from kerasseq.preprocessing import TextPreprocessor


class Translation(Head):
    """Text to text."""

    task, reads, examples = "translation", "text", "pairs"
    evaluate, report = staticmethod(evaluate), staticmethod(report)

    def __init__(self, config: TranslationConfig, data: Parts):
        super().__init__(config, data)
        for _ in self.parts.test.chunks() if self.parts.test else ():
            pass  # what is wrong with the test part comes to light before the training

    def learn_preprocessor(self) -> TextPreprocessor:
        return learn_preprocessor(self.config, self.parts)

    def build(self, preprocessor: TextPreprocessor) -> Seq2Seq:
        return build(self.config.model, preprocessor)

    def prepare(self, model: Seq2Seq, folder: Path, resume: bool) -> Prepared:
        return prepare(self.config, self.parts, model.preprocessor, folder, resume)

    def describe_data(self, data: Prepared) -> str:
        return f"{len(data.stores['train']):,} pairs"

    def describe_model(self, model: Seq2Seq) -> str:
        preprocessor = model.preprocessor
        sizes = [preprocessor.source_vocabulary_size, preprocessor.target_vocabulary_size]
        sizes = sizes[:1] if preprocessor.shared else sizes
        return "vocabulary " + " and ".join(f"{size:,}" for size in sizes)

    def make_card(self, before: dict) -> dict:
        card = super().make_card(before)
        sides = ("source", "target")
        languages = {side: getattr(self.parts, side) or before.get(side, "") for side in sides}
        return {"data": card.pop("data"), **languages, **card}

    @cached_property
    def _valid(self) -> tuple:
        return tuple(zip(*self.parts.valid, strict=True))

    def write(self, model: Seq2Seq, most: int | None = None) -> list[str]:
        sources = list(self._valid[0][:most])
        return model.generate(sources, Options(Greedy()), batch_size=64, jit=False)

    def list_references(self, preprocessor: TextPreprocessor) -> list[list[str]]:
        return [[text] for text in preprocessor.normalize(self._valid[1])]

    def score(self, preprocessor: TextPreprocessor, texts: list[str]) -> dict[str, float]:
        references = [text for (text,) in self.list_references(preprocessor)]
        return {"bleu": bleu(texts, references).value}

    def iterate_texts(self) -> Iterator[dict[str, str]]:
        return ({"source": pair[0], "target": pair[1]} for pair in self.parts.train)


train = partial(training.train, Translation, read_parts)
"""Trains a model; see `kerasseq.applications.common.training.train`."""

cross_validate = partial(_cross_validate, Translation, read_parts)
"""Trains and measures folds; see `kerasseq.applications.common.folds.cross_validate`."""

tune = partial(_tune, Translation, read_parts, configure, SPACE)
"""Searches for better settings; see `kerasseq.applications.common.tuning.search.tune`."""
