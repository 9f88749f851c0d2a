"""`kerasseq train captioning`: from pictures to a model that is measured and saved."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np

from kerasseq.applications.captioning.config import CaptioningConfig
from kerasseq.applications.captioning.evaluation import evaluate, read_from_store
from kerasseq.applications.captioning.model import build
from kerasseq.applications.captioning.preprocessing import learned, prepare, read_parts
from kerasseq.applications.captioning.report import report
from kerasseq.applications.common import training
from kerasseq.applications.common.parts import some_of, unwritable
from kerasseq.applications.common.training import Prepared
from kerasseq.data.pictures.store import PictureStore
from kerasseq.encoders import PictureEncoder
from kerasseq.errors import UserError
from kerasseq.generation import Greedy
from kerasseq.metrics import CiderD
from kerasseq.models import Options, SequenceModel
from kerasseq.preprocessing import CaptionPreprocessor
from kerasseq.training import Run


class Captioning:
    """Pictures to text, for `training.train`."""

    task, reads, examples = "captioning", "picture", "pictures"

    def __init__(self, config: CaptioningConfig, data_dir: str | None = None):
        self.config = config
        self.parts = read_parts(config.data, data_dir)
        self.stores: dict[str, PictureStore] = {}
        self._longest = 0  # units of a caption
        self._reader: SequenceModel | None = None  # of the validation part

    def learned(self) -> CaptionPreprocessor:
        return learned(self.config, self.parts.train.texts())

    def build(self, preprocessor: CaptionPreprocessor) -> SequenceModel:
        return build(self.config.model, preprocessor)

    def prepare(self, model: SequenceModel, folder: Path, resume: bool) -> Prepared:
        first, encoder = model.encoder.layers[0], self.config.model.encoder
        if isinstance(first, PictureEncoder) and encoder.kind == "backbone":
            first.trainable = encoder.trainable  # whatever it was in a model to start from
        elif encoder.kind == "backbone" and encoder.trainable and self.config.training.start_from:
            raise UserError(
                f"model.encoder.trainable: {self.config.training.start_from}, which the run starts "
                "from, has no backbone, and all of it is trained; leave it out."
            )
        self._longest = model.preprocessor.max_target_length
        if self.parts.test is not None:  # what is wrong with it comes to light before the training
            some_of(self.parts.test, 1, model.preprocessor.size, model.preprocessor.frames)
        data, self.stores = prepare(self.config, self.parts, model, folder, resume)
        data.unknown["test"] = unwritable(self.parts.test, model.preprocessor)
        return data

    def card(self, before: dict) -> dict:
        decoding = asdict(self.config.decoding)
        return {
            "data": self.parts.name,
            "licence": self.parts.licence,
            "decoding": {**decoding, "max_length": self._longest},
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
        store, options = self.stores["valid"], Options(Greedy(), max_length=self._longest)
        self._reader = self._reader or read_from_store(model, store)
        places = list(range(len(store)))
        texts = self._reader.generate(places, options, batch_size=64, jit=False)
        texts, references = model.preprocessor.normalize(texts), store.references(places)
        scores = CiderD(references).scores(range(len(texts)), texts)
        return {"cider": 100 * float(scores.mean())}

    def scores(self, model: SequenceModel, say: Callable[[str], None]) -> dict[str, float]:
        if self.parts.test is None:
            return {}
        found = evaluate(model, self.parts.test)
        if len(found.problems):
            say(f"test: {found.problems}")
        return {score.name: round(score.value, 2) for score in found.scores}

    def report(
        self, model: SequenceModel, run: Run, scores: dict, say: Callable[[str], None]
    ) -> None:
        report(model, self.parts.test or self.parts.valid, run, scores, say)


train = partial(training.train, Captioning)
"""Train a model; see `kerasseq.applications.common.training.train`."""
