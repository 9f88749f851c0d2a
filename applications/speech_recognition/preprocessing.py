"""From a configuration to recordings, units and batches of sound."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from kerasseq.applications.progress import telling
from kerasseq.applications.speech_recognition.config import DataConfig, SpeechConfig
from kerasseq.applications.training import Prepared
from kerasseq.data import (
    BatchPlan,
    RecordingCorpus,
    SoundBatches,
    SoundCorpus,
    SoundStore,
    datasets,
)
from kerasseq.data.recordings import cut_off
from kerasseq.data.sound_batches import sound_plan
from kerasseq.errors import UserError
from kerasseq.preprocessing import SpeechPreprocessor


class Parts(NamedTuple):
    """The recordings of a run, and what is known of them."""

    train: SoundCorpus
    valid: SoundCorpus
    test: SoundCorpus | None
    name: str
    licence: str = "that of your own data"


def read_parts(config: DataConfig, data_dir: str | None = None) -> Parts:
    """The recordings that a configuration names.

    Raises:
        UserError: lists and a data set are both named, or no training list beside others, or
            they cannot be read.
    """
    if config.dataset and config.train:
        raise UserError("Name lists (--train) or a data set (--dataset), not both.")
    if (config.valid or config.test) and not config.train:
        raise UserError("--valid and --test are read beside --train: name the training list too.")
    if config.dataset:
        dataset = datasets.find(config.dataset)
        return Parts(
            **datasets.recordings(config.dataset, data_dir),
            name=dataset.title,
            licence=dataset.licence,
        )
    if not config.train:
        # Here, since the words and the synthesiser come in packages of their own.
        from kerasseq.applications.speech_recognition.corpus import NAME
        from kerasseq.applications.speech_recognition.corpus import corpus as embedded

        return Parts(**embedded(config.seed), name=NAME, licence="GPL-3.0 voices")
    train = RecordingCorpus(config.train)
    if config.valid:
        valid = RecordingCorpus(config.valid)
    else:
        train, valid = cut_off(train, config.valid_size, seed=config.seed)
    test = RecordingCorpus(config.test) if config.test else None
    return Parts(train, valid, test, ", ".join(Path(file).name for file in config.train))


def learned(config: SpeechConfig, transcripts: Iterable[str]) -> SpeechPreprocessor:
    """A preprocessor with the units of the transcripts."""
    units = config.tokenizer
    return SpeechPreprocessor.learn(
        transcripts,
        units.kind,
        units.vocabulary_size,
        steps=units.normalization,
        rate=config.sound.rate,
        end=config.model.kind in ("attention", "hybrid"),
        max_seconds=config.data.max_seconds,
        max_target_length=units.max_length,
    )


class Epochs:
    """The training batches, epoch by epoch."""

    def __init__(self, store: SoundStore, plan: BatchPlan, **options):
        self.store, self.plan, self.options = store, plan, options

    def epoch(self, epoch: int) -> Sequence:
        return SoundBatches(self.store, self.plan, epoch=epoch, **self.options)


def prepare(
    config: SpeechConfig,
    parts: Parts,
    preprocessor: SpeechPreprocessor,
    folder: Path,
    resume: bool = False,
) -> tuple[Prepared, dict[str, SoundStore]]:
    """The recordings of all parts, decoded in `folder`, and the batches to train on.

    Raises:
        UserError: a run is resumed, but with other recordings.
    """
    stores = {
        name: SoundStore.build(
            folder / name,
            corpus,
            preprocessor,
            replace=not resume,
            progress=telling(f"{name} recordings decoded"),
        )
        for name, corpus in (("train", parts.train), ("valid", parts.valid), ("test", parts.test))
        if corpus is not None
    }
    sound, seconds, seed = config.sound, config.training.batch_seconds, config.training.seed
    plan = sound_plan(stores["train"], seconds=seconds, speeds=sound.speeds, seed=seed)
    epochs = Epochs(stores["train"], plan, speeds=sound.speeds, gain=sound.gain)
    valid = Epochs(stores["valid"], sound_plan(stores["valid"], seconds=seconds, seed=seed))
    problems = {name: store.problems for name, store in stores.items()}
    return Prepared(epochs, valid.epoch(0), len(stores["train"]), problems), stores
