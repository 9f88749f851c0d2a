"""`kerasseq train captioning`: from pictures to a model that is measured and saved."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from kerasseq.applications.captioning.config import CaptioningConfig, configure, read_encoder
from kerasseq.applications.captioning.evaluation import evaluate, read_from_store
from kerasseq.applications.captioning.model import build
from kerasseq.applications.captioning.parts import read_parts
from kerasseq.applications.captioning.preprocessing import learn_preprocessor, prepare
from kerasseq.applications.captioning.report import report
from kerasseq.applications.captioning.space import SPACE
from kerasseq.applications.common import training
from kerasseq.applications.common.folds import cross_validate as _cross_validate
from kerasseq.applications.common.head import Head
from kerasseq.applications.common.parts import Parts, find_unknown_units
from kerasseq.applications.common.preparation import Prepared
from kerasseq.applications.common.tuning.search import tune as _tune
from kerasseq.data.pictures.store import PictureStore
from kerasseq.encoders import PictureEncoder
from kerasseq.errors import UserError
from kerasseq.generation import Greedy
from kerasseq.metrics import CiderD
from kerasseq.models import Options, SequenceModel
from kerasseq.preprocessing import CaptionPreprocessor


class Captioning(Head):
    """Pictures and clips to text."""

    task, reads, examples = "captioning", "picture", "pictures"
    evaluate, report = staticmethod(evaluate), staticmethod(report)
    read_encoder = staticmethod(read_encoder)

    def __init__(self, config: CaptioningConfig, data: Parts):
        super().__init__(config, data)
        self.stores: Mapping[str, PictureStore] = {}
        self._longest = 0  # units of a caption
        self._reader: SequenceModel | None = None  # of the validation part

    def learn_preprocessor(self) -> CaptionPreprocessor:
        return learn_preprocessor(self.config, self.parts)

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
        preprocessor = model.preprocessor
        self._longest = preprocessor.max_target_length
        self.check_test_part(preprocessor.size, preprocessor.frames)
        data = prepare(self.config, self.parts, model, folder, resume)
        self.stores = data.stores
        data.unknown["test"] = find_unknown_units(self.parts.test, preprocessor)
        return data

    def describe_data(self, data: Prepared) -> str:
        store = self.stores["train"]
        return f"{len(store):,} pictures with {int(store.counts.sum()):,} captions"

    def describe_model(self, model: SequenceModel) -> str:
        trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
        size = model.preprocessor.target_vocabulary_size
        return f"{trained:,} of them trained, {size:,} units"

    def make_card(self, before: dict) -> dict:
        card = super().make_card(before)
        return {**card, "decoding": {**card["decoding"], "max_length": self._longest}}

    def write(self, model: SequenceModel, most: int | None = None) -> list[str]:
        store, options = self.stores["valid"], Options(Greedy(), max_length=self._longest)
        self._reader = self._reader or read_from_store(model, store)
        places = list(range(len(store)))[:most]
        return self._reader.generate(places, options, batch_size=64, jit=False)

    def list_references(self, preprocessor: CaptionPreprocessor) -> list[list[str]]:
        store = self.stores["valid"]
        return store.references(list(range(len(store))))

    def score(self, preprocessor: CaptionPreprocessor, texts: list[str]) -> dict[str, float]:
        references = self.list_references(preprocessor)
        scores = CiderD(references).scores(range(len(texts)), preprocessor.normalize(texts))
        return {"cider": 100 * float(scores.mean())}


train = partial(training.train, Captioning, read_parts)
"""Trains a model; see `kerasseq.applications.common.training.train`."""

cross_validate = partial(_cross_validate, Captioning, read_parts)
"""Trains and measures folds; see `kerasseq.applications.common.folds.cross_validate`."""

tune = partial(_tune, Captioning, read_parts, configure, SPACE)
"""Searches for better settings; see `kerasseq.applications.common.tuning.search.tune`."""
