"""From a configuration to recordings, units and batches of sound."""

from pathlib import Path

from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.preparation import Epochs, Prepared, build_stores, summarize
from kerasseq.applications.speech_recognition.config import SpeechConfig
from kerasseq.data import SoundBatches, SoundStore
from kerasseq.data.sound.batches import sound_plan
from kerasseq.preprocessing import SpeechPreprocessor


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
