"""From a configuration to recordings, units and batches of sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasseq.applications.common import parts
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.preparation import Epochs, Prepared, build_stores, summarize
from kerasseq.applications.speech_recognition.config import DataConfig, SpeechConfig
from kerasseq.data import RecordingCorpus, SoundBatches, SoundCorpus, SoundStore
from kerasseq.data.public import datasets
from kerasseq.data.sound.batches import sound_plan
from kerasseq.preprocessing import SpeechPreprocessor


def read_parts(config: DataConfig, data_dir: str | None = None) -> Parts:
    """Reads the recordings that a configuration names; see `common.parts.read_parts`."""

    def make_demo() -> Parts:
        # Here, since the words and the synthesiser come in packages of their own.
        from kerasseq.applications.demos.speech import corpus

        return Parts.from_demo(corpus, seed=config.seed)

    def read_dataset(dataset: Any) -> dict[str, SoundCorpus]:
        return datasets.recordings(dataset.name, data_dir)

    def read_files(part: str, lists: Sequence[str]) -> SoundCorpus:
        return RecordingCorpus(lists)

    return parts.read_parts(config, "sound", read_dataset, read_files, make_demo)


def learn_preprocessor(config: SpeechConfig, recordings: Parts) -> SpeechPreprocessor:
    """Returns a preprocessor with the units of the training part."""
    return config.tokenizer.learn(
        SpeechPreprocessor,
        recordings.train.texts(),
        rate=config.sound.rate,
        end=config.model.kind in ("attention", "hybrid"),
        max_seconds=config.data.max_seconds,
    )


def prepare(
    config: SpeechConfig,
    recordings: Parts,
    preprocessor: SpeechPreprocessor,
    folder: Path,
    resume: bool = False,
) -> Prepared:
    """Decodes the recordings of a run in a folder.

    Raises:
        UserError: a run is resumed, but with other recordings.
    """
    stores = build_stores(
        SoundStore, folder, recordings, preprocessor, resume, "recordings decoded"
    )
    sound, seconds, seed = config.sound, config.training.batch_seconds, config.training.seed
    plan = sound_plan(stores["train"], seconds=seconds, speeds=sound.speeds, seed=seed)
    changes = {"speeds": sound.speeds, "gain": sound.gain}

    def epoch(number: int) -> SoundBatches:
        return SoundBatches(stores["train"], plan, epoch=number, **changes)

    valid = SoundBatches(stores["valid"], sound_plan(stores["valid"], seconds=seconds, seed=seed))
    return summarize(stores, Epochs(plan, epoch), valid)
