"""`kerasseq train speech-recognition`: from recordings to a model that is measured and saved."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np

from kerasseq.applications import training
from kerasseq.applications.speech_recognition.config import SpeechConfig
from kerasseq.applications.speech_recognition.model import build
from kerasseq.applications.speech_recognition.preprocessing import learned, prepare, read_parts
from kerasseq.applications.speech_recognition.report import report
from kerasseq.applications.speech_recognition.transcribe import Transcript, transcribe_sounds
from kerasseq.applications.training import Prepared
from kerasseq.data import SoundStore
from kerasseq.data.sound_store import FRAMES
from kerasseq.generation import Greedy
from kerasseq.language_model import NGram
from kerasseq.metrics import cer, wer
from kerasseq.models import Options, SequenceModel
from kerasseq.preprocessing import SpeechPreprocessor
from kerasseq.training import Run


class SpeechRecognition:
    """Sound to text, for `training.train`."""

    task, examples = "speech recognition", "recordings"

    def __init__(self, config: SpeechConfig, data_dir: str | None = None):
        self.config = config
        self.parts = read_parts(config.data, data_dir)
        self.stores: dict[str, SoundStore] = {}

    def learned(self) -> SpeechPreprocessor:
        return learned(self.config, self.parts.train.texts())

    def prepare(self, model: SequenceModel, folder: Path, resume: bool) -> Prepared:
        preprocessor, order = model.preprocessor, self.config.tokenizer.language_model
        data, self.stores = prepare(self.config, self.parts, preprocessor, folder, resume)
        if order and model.language_model is None:
            size = preprocessor.target_vocabulary_size
            model.language_model = NGram.learn(self._units(preprocessor), size, order=order)
        return data

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
        options = Options(Greedy())
        texts, said = self._compared(model, "valid", lambda x: model.generate(x, options))
        return {"wer": wer(texts, said).value}

    def scores(self, model: SequenceModel) -> dict[str, float]:
        if "test" not in self.stores:
            return {}
        rate = model.preprocessor.rate

        def transcribe(sounds: list[np.ndarray]) -> list[str]:
            named = ((Transcript("", seconds=len(sound) / rate), sound) for sound in sounds)
            return [one.text for one in transcribe_sounds(model, named)]

        texts, said = self._compared(model, "test", transcribe)
        return {score.name: round(score.value, 2) for score in (wer(texts, said), cer(texts, said))}

    def _compared(
        self, model: SequenceModel, part: str, write: Callable[[list[np.ndarray]], list[str]]
    ) -> tuple[list[str], list[str]]:
        """What is written of the recordings of a part, and what was said, both normalised."""
        store = self.stores[part]
        every = np.arange(len(store))
        return model.preprocessor.normalize(write(store.sounds(every))), store.texts(every)

    def report(
        self, model: SequenceModel, run: Run, scores: dict, say: Callable[[str], None]
    ) -> None:
        part = "test" if "test" in self.stores else "valid"
        report(model, self.stores[part], run, scores, say)


train = partial(training.train, SpeechRecognition)
"""Train a model; see `kerasseq.applications.training.train`."""
