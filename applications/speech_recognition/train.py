"""`kerasseq train speech-recognition`: from recordings to a model that is measured and saved."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np

from kerasseq.applications.common import training
from kerasseq.applications.common.parts import some_of, unwritable
from kerasseq.applications.common.training import Prepared
from kerasseq.applications.speech_recognition.config import SpeechConfig
from kerasseq.applications.speech_recognition.evaluation import evaluate
from kerasseq.applications.speech_recognition.model import build
from kerasseq.applications.speech_recognition.preprocessing import learned, prepare, read_parts
from kerasseq.applications.speech_recognition.report import report
from kerasseq.data import SoundStore
from kerasseq.data.sound.store import FRAMES
from kerasseq.errors import UserError
from kerasseq.generation import Greedy
from kerasseq.language_model import NGram
from kerasseq.metrics import wer
from kerasseq.models import Options, SequenceModel
from kerasseq.preprocessing import SpeechPreprocessor
from kerasseq.training import Run


class SpeechRecognition:
    """Sound to text, for `training.train`."""

    task, reads, examples = "speech recognition", "sound", "recordings"

    def __init__(self, config: SpeechConfig, data_dir: str | None = None):
        self.config = config
        self.parts = read_parts(config.data, data_dir)
        self.stores: dict[str, SoundStore] = {}

    def learned(self) -> SpeechPreprocessor:
        return learned(self.config, self.parts.train.texts())

    def prepare(self, model: SequenceModel, folder: Path, resume: bool) -> Prepared:
        preprocessor, order = model.preprocessor, self.config.tokenizer.language_model
        preprocessor.max_seconds = self.config.data.max_seconds  # whatever it was in another run
        self._check_decoding(model, order)
        if self.parts.test is not None:  # what is wrong with it comes to light before the training
            some_of(self.parts.test, 1, preprocessor.rate)
        data, self.stores = prepare(self.config, self.parts, preprocessor, folder, resume)
        data.unknown["test"] = unwritable(self.parts.test, preprocessor)
        if order and model.language_model is None:
            size = preprocessor.target_vocabulary_size
            model.language_model = NGram.learn(self._units(preprocessor), size, order=order)
        return data

    def _check_decoding(self, model: SequenceModel, order: int) -> None:
        """That a model, which may be another run's, decodes as the configuration says."""
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

    def card(self, before: dict) -> dict:
        longest = float(self.stores["train"].frames().max()) / FRAMES
        return {
            "data": self.parts.name,
            "licence": self.parts.licence,
            "decoding": asdict(self.config.decoding),
            "longest": round(max(longest, before.get("longest", 0.0)), 1),
        }

    def build(self, preprocessor: SpeechPreprocessor) -> SequenceModel:
        return build(self.config.model, self.config.sound, preprocessor)

    def _units(self, preprocessor: SpeechPreprocessor) -> Iterable[Sequence[int]]:
        store = self.stores["train"]
        texts = store.texts(np.arange(len(store)))
        return preprocessor.tokenizer("target").encode(texts)

    def opening(self, model: SequenceModel, data: Prepared) -> Iterable[str]:
        store, settings = self.stores["train"], self.config.model
        start = self.config.training.start_from
        kind = start or f"{settings.kind} on {settings.encoder.kind}"
        yield (
            f"Data    {self.parts.name}: {data.examples:,} recordings, "
            f"{store.seconds / 60:,.1f} minutes to train on"
        )
        yield (
            f"Model   {kind}, {model.count_params():,} parameters, "
            f"{model.preprocessor.target_vocabulary_size:,} units"
        )
        yield f"Plan    {len(data.epochs.plan):,} steps an epoch, on {keras.backend.backend()}"

    def measure(self, model: SequenceModel) -> dict[str, float]:
        store = self.stores["valid"]
        every = np.arange(len(store))
        texts = model.generate(store.sounds(every), Options(Greedy()))
        return {"wer": wer(model.preprocessor.normalize(texts), store.texts(every)).value}

    def scores(self, model: SequenceModel, say: Callable[[str], None]) -> dict[str, float]:
        if self.parts.test is None:
            return {}
        found = evaluate(model, self.parts.test)
        if len(found.problems):
            say(f"test: {found.problems}")
        return {rate.name: round(rate.value, 2) for rate in found.scores}

    def report(
        self, model: SequenceModel, run: Run, scores: dict, say: Callable[[str], None]
    ) -> None:
        report(model, self.parts.test or self.parts.valid, run, scores, say)


train = partial(training.train, SpeechRecognition)
"""Train a model; see `kerasseq.applications.common.training.train`."""
