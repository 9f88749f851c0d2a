"""`kerasseq train captioning`: from pictures to a model that is measured and saved."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np

from kerasseq.applications import training
from kerasseq.applications.captioning.config import CaptioningConfig
from kerasseq.applications.captioning.evaluation import compared
from kerasseq.applications.captioning.model import build
from kerasseq.applications.captioning.preprocessing import learned, prepare, read_parts
from kerasseq.applications.captioning.report import report
from kerasseq.applications.captioning.stored import reading
from kerasseq.applications.training import Prepared
from kerasseq.data.picture_store import PictureStore
from kerasseq.encoders import PictureEncoder
from kerasseq.generation import Greedy
from kerasseq.metrics import CiderD
from kerasseq.models import Options, SequenceModel
from kerasseq.preprocessing import CaptionPreprocessor
from kerasseq.training import Run


class Captioning:
    """Pictures to text, for `training.train`."""

    task, examples = "captioning", "pictures"

    def __init__(self, config: CaptioningConfig, data_dir: str | None = None):
        self.config = config
        self.parts = read_parts(config.data, data_dir)
        self.stores: dict[str, PictureStore] = {}
        self._readers: dict[str, SequenceModel] = {}

    def learned(self) -> CaptionPreprocessor:
        return learned(self.config, self.parts.train.texts())

    def build(self, preprocessor: CaptionPreprocessor) -> SequenceModel:
        return build(self.config.model, preprocessor)

    def prepare(self, model: SequenceModel, folder: Path, resume: bool) -> Prepared:
        first, encoder = model.encoder.layers[0], self.config.model.encoder
        if isinstance(first, PictureEncoder) and encoder.kind == "backbone":
            first.trainable = encoder.trainable  # whatever it was in a model to start from
        data, self.stores = prepare(self.config, self.parts, model, folder, resume)
        return data

    def card(self, before: dict) -> dict:
        decoding = asdict(self.config.decoding)
        return {
            "data": self.parts.name,
            "licence": self.parts.licence,
            "decoding": {**decoding, "max_length": self.config.tokenizer.max_length},
        }

    def opening(self, model: SequenceModel, data: Prepared) -> Iterable[str]:
        store, settings = self.stores["train"], self.config.model
        captions = int(store.counts.sum())
        start = self.config.training.start_from
        kind = start or f"{settings.kind} on {settings.encoder.kind}"
        yield (
            f"Data    {self.parts.name}: {data.examples:,} pictures with {captions:,} captions "
            "to train on"
        )
        trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
        yield (
            f"Model   {kind}, {model.count_params():,} parameters, {trained:,} of them trained, "
            f"{model.preprocessor.target_vocabulary_size:,} units"
        )
        yield f"Plan    {len(data.epochs.plan):,} steps an epoch, on {keras.backend.backend()}"

    def measure(self, model: SequenceModel) -> dict[str, float]:
        options = Options(Greedy(), max_length=self.config.tokenizer.max_length)
        texts, references = self._written(model, "valid", options)
        scores = CiderD(references).scores(range(len(texts)), texts)
        return {"cider": 100 * float(scores.mean())}

    def scores(self, model: SequenceModel) -> dict[str, float]:
        if "test" not in self.stores:
            return {}
        found = compared(*self._written(model, "test", model.default_options))
        return {score.name: round(score.value, 2) for score in found}

    def _written(
        self, model: SequenceModel, part: str, options: Options
    ) -> tuple[list[str], list[list[str]]]:
        """The captions of a part, the model's and the references, normalised."""
        store = self.stores[part]
        if part not in self._readers:
            self._readers[part] = reading(model, store)
        places = list(range(len(store)))
        texts = self._readers[part].generate(places, options, batch_size=64, jit=False)
        return model.preprocessor.normalize(texts), store.references(places)

    def report(
        self, model: SequenceModel, run: Run, scores: dict, say: Callable[[str], None]
    ) -> None:
        part = "test" if "test" in self.stores else "valid"
        report(model, self.parts, part, run, scores, say)


train = partial(training.train, Captioning)
"""Train a model; see `kerasseq.applications.training.train`."""
