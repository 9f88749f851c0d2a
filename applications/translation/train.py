"""`kerasseq train translation`: from pairs to a model that is measured and saved."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path

import keras

from kerasseq.applications.common import training
from kerasseq.applications.common.training import Prepared
from kerasseq.applications.translation.config import TranslationConfig
from kerasseq.applications.translation.model import build
from kerasseq.applications.translation.preprocessing import learned, prepare, read_parts
from kerasseq.applications.translation.report import report
from kerasseq.generation import Greedy
from kerasseq.metrics import bleu, chrf, exact_match
from kerasseq.models import Options, Seq2Seq
from kerasseq.preprocessing import TextPreprocessor
from kerasseq.training import Run


class Translation:
    """Text to text, for `training.train`."""

    task, reads, examples = "translation", "text", "pairs"

    def __init__(self, config: TranslationConfig, data_dir: str | None = None):
        self.config = config
        self.parts = read_parts(config.data, data_dir)
        for _ in self.parts.test.chunks() if self.parts.test else ():
            pass  # what is wrong with the test part comes to light before the training

    def card(self, before: dict) -> dict:
        parts = self.parts
        return {
            "data": parts.name,
            "source": parts.source or before.get("source", ""),
            "target": parts.target or before.get("target", ""),
            "licence": parts.licence,
            "decoding": asdict(self.config.decoding),
        }

    def learned(self) -> TextPreprocessor:
        return learned(self.config.tokenizer, self.parts.train)

    def prepare(self, model: Seq2Seq, folder: Path, resume: bool) -> Prepared:
        return prepare(self.config, self.parts, model.preprocessor, folder, resume)

    def build(self, preprocessor: TextPreprocessor) -> Seq2Seq:
        return build(self.config.model, preprocessor)

    def opening(self, model: Seq2Seq, data: Prepared) -> Iterable[str]:
        preprocessor = model.preprocessor
        sizes = [preprocessor.source_vocabulary_size, preprocessor.target_vocabulary_size]
        vocabulary = f"{sizes[0]:,}" if preprocessor.shared else f"{sizes[0]:,} and {sizes[1]:,}"
        start = self.config.training.start_from
        yield f"Data    {self.parts.name}: {data.examples:,} pairs to train on"
        yield (
            f"Model   {start or self.config.model.kind}, {model.count_params():,} parameters, "
            f"vocabulary {vocabulary}"
        )
        yield f"Plan    {len(data.epochs.plan):,} steps an epoch, on {keras.backend.backend()}"

    @cached_property
    def _valid(self) -> tuple:
        return tuple(zip(*self.parts.valid, strict=True))

    def measure(self, model: Seq2Seq) -> dict[str, float]:
        sources, references = self._valid
        texts = model.generate(list(sources), Options(Greedy()), batch_size=64, jit=False)
        return {"bleu": bleu(texts, model.preprocessor.normalize(references)).value}

    def scores(self, model: Seq2Seq, say: Callable[[str], None]) -> dict[str, float]:
        if self.parts.test is None:
            return {}
        sources, references = zip(*self.parts.test, strict=True)
        texts = model.generate(sources)  # with the options of its card
        references = model.preprocessor.normalize(references)
        scores = (exact_match(texts, references), bleu(texts, references), chrf(texts, references))
        return {score.name: round(score.value, 2) for score in scores}

    def report(self, model: Seq2Seq, run: Run, scores: dict, say: Callable[[str], None]) -> None:
        report(model, self.parts, run, scores, say)


train = partial(training.train, Translation)
"""Train a model; see `kerasseq.applications.common.training.train`."""
