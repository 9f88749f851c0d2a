"""`kerasseq train speech-recognition`: from recordings to a model that is measured and saved."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from kerasseq.applications.common import training
from kerasseq.applications.common.folds import cross_validate as _cross_validate
from kerasseq.applications.common.head import Head
from kerasseq.applications.common.parts import Parts, find_unknown_units
from kerasseq.applications.common.preparation import Prepared
from kerasseq.applications.common.tuning.search import tune as _tune
from kerasseq.applications.speech_recognition.calibration import MOST_RECORDINGS, calibrate
from kerasseq.applications.speech_recognition.config import SpeechConfig, configure, read_encoder
from kerasseq.applications.speech_recognition.evaluation import evaluate
from kerasseq.applications.speech_recognition.model import build
from kerasseq.applications.speech_recognition.parts import read_parts
from kerasseq.applications.speech_recognition.preprocessing import (
    learn_preprocessor,
    prepare,
)
from kerasseq.applications.speech_recognition.report import report
from kerasseq.applications.speech_recognition.space import SPACE
from kerasseq.data import SoundStore
from kerasseq.data.sound.store import FRAMES
from kerasseq.errors import UserError
from kerasseq.generation import Greedy
from kerasseq.language_model import NGram
from kerasseq.metrics import wer
from kerasseq.models import Options, SequenceModel
from kerasseq.models.confidence import CARD_NAME
from kerasseq.preprocessing import SpeechPreprocessor


class SpeechRecognition(Head):
    """Sound to text."""

    task, reads, examples = "speech recognition", "sound", "recordings"
    evaluate, report = staticmethod(evaluate), staticmethod(report)
    read_encoder = staticmethod(read_encoder)

    def __init__(self, config: SpeechConfig, data: Parts):
        super().__init__(config, data)
        self.stores: Mapping[str, SoundStore] = {}

    def learn_preprocessor(self) -> SpeechPreprocessor:
        return learn_preprocessor(self.config, self.parts)

    def build(self, preprocessor: SpeechPreprocessor) -> SequenceModel:
        return build(self.config.model, self.config.sound, preprocessor)

    def prepare(self, model: SequenceModel, folder: Path, resume: bool) -> Prepared:
        preprocessor, order = model.preprocessor, self.config.tokenizer.language_model
        preprocessor.max_seconds = self.config.data.max_seconds  # whatever it was in another run
        self._check_decoding(model, order)
        self.check_test_part(preprocessor.rate)
        data = prepare(self.config, self.parts, preprocessor, folder, resume)
        self.stores = data.stores
        data.unknown["test"] = find_unknown_units(self.parts.test, preprocessor)
        if order and model.language_model is None:
            texts = self.stores["train"].texts(np.arange(len(self.stores["train"])))
            units = preprocessor.tokenizer("target").encode(texts)
            size = preprocessor.target_vocabulary_size
            model.language_model = NGram.learn(units, size, order=order)
        return data

    def _check_decoding(self, model: SequenceModel, order: int) -> None:
        """Checks that a model, which may be another run's, decodes as the configuration says."""
        weight, known = self.config.decoding.lm_weight, model.language_model
        start = f"{self.config.training.start_from}, which the run starts from,"
        if order and known is not None and known.order != order:
            raise UserError(
                f"tokenizer.language_model is {order}, but {start} has one of order {known.order}: "
                "leave it out."
            )
        if weight and not order and known is None:
            raise UserError(
                f"decoding.lm_weight is {weight:g}, but {start} has no language model: set "
                "tokenizer.language_model."
            )

    def describe_data(self, data: Prepared) -> str:
        store = self.stores["train"]
        return f"{len(store):,} recordings, {store.seconds / 60:,.1f} minutes"

    def describe_model(self, model: SequenceModel) -> str:
        return f"{model.preprocessor.target_vocabulary_size:,} units"

    def make_card(self, before: dict) -> dict:
        longest = float(self.stores["train"].frames().max()) / FRAMES
        longest = max(longest, before.get("longest", 0.0))
        return {**super().make_card(before), "longest": round(longest, 1)}

    def calibrate(self, model: SequenceModel) -> dict:
        store = self.stores["valid"]
        places = np.linspace(0, len(store) - 1, min(len(store), MOST_RECORDINGS)).astype(int)
        entry = calibrate(model, store.sounds(places), store.texts(places))
        return {CARD_NAME: entry} if entry else {}

    def write(self, model: SequenceModel, most: int | None = None) -> list[str]:
        store = self.stores["valid"]
        return model.generate(store.sounds(np.arange(len(store))[:most]), Options(Greedy()))

    def list_references(self, preprocessor: SpeechPreprocessor) -> list[list[str]]:
        store = self.stores["valid"]
        return store.references(np.arange(len(store)))

    def score(self, preprocessor: SpeechPreprocessor, texts: list[str]) -> dict[str, float]:
        references = [text for (text,) in self.list_references(preprocessor)]
        return {"wer": wer(preprocessor.normalize(texts), references).value}


train = partial(training.train, SpeechRecognition, read_parts)
"""Trains a model; see `kerasseq.applications.common.training.train`."""

cross_validate = partial(_cross_validate, SpeechRecognition, read_parts)
"""Trains and measures folds; see `kerasseq.applications.common.folds.cross_validate`."""

tune = partial(_tune, SpeechRecognition, read_parts, configure, SPACE)
"""Searches for better settings; see `kerasseq.applications.common.tuning.search.tune`."""
