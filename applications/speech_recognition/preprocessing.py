"""From a configuration to recordings, units and batches of sound."""

from collections.abc import Iterable
from pathlib import Path

from kerasseq.applications.common import parts
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.progress import telling
from kerasseq.applications.common.training import Epochs, Prepared
from kerasseq.applications.speech_recognition.config import DataConfig, SpeechConfig
from kerasseq.data import RecordingCorpus, SoundBatches, SoundCorpus, SoundStore
from kerasseq.data.public import datasets
from kerasseq.data.sound.batches import sound_plan
from kerasseq.preprocessing import SpeechPreprocessor


def read_parts(config: DataConfig, data_dir: str | None = None) -> Parts:
    """The recordings that a configuration names; see `common.parts.read_parts`."""

    def embedded() -> Parts:
        # Here, since the words and the synthesiser come in packages of their own.
        from kerasseq.applications.demos.speech.corpus import NAME, corpus

        return Parts(**corpus(config.seed), name=NAME, licence="GPL-3.0 voices")

    def of_dataset(name: str) -> dict[str, SoundCorpus]:
        return datasets.recordings(name, data_dir)

    return parts.read_parts(config, "sound", of_dataset, RecordingCorpus, embedded)


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


def prepare(
    config: SpeechConfig,
    examples: Parts,
    preprocessor: SpeechPreprocessor,
    folder: Path,
    resume: bool = False,
) -> tuple[Prepared, dict[str, SoundStore]]:
    """The recordings to train on and to validate, decoded in `folder`, and the batches of both.

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
        for name, corpus in (("valid", examples.valid), ("train", examples.train))
    }
    sound, seconds, seed = config.sound, config.training.batch_seconds, config.training.seed
    plan = sound_plan(stores["train"], seconds=seconds, speeds=sound.speeds, seed=seed)
    changed = {"speeds": sound.speeds, "gain": sound.gain}

    def epoch(number: int) -> SoundBatches:
        return SoundBatches(stores["train"], plan, epoch=number, **changed)

    valid = SoundBatches(stores["valid"], sound_plan(stores["valid"], seconds=seconds, seed=seed))
    problems = {name: store.problems for name, store in stores.items()}
    unknown = {name: [store.unknown] for name, store in stores.items()}
    counts = len(stores["train"]), len(stores["valid"])
    return Prepared(Epochs(plan, epoch), valid, *counts, problems, unknown), stores
