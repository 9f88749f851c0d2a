"""From a configuration to pictures, units and batches."""

import functools
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from kerasseq.applications.captioning.config import CaptioningConfig, DataConfig
from kerasseq.applications.common import parts
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.progress import telling
from kerasseq.applications.common.training import Epochs, Prepared
from kerasseq.data.pictures.batches import PictureBatches, picture_plan
from kerasseq.data.pictures.captioned import CaptionedCorpus
from kerasseq.data.pictures.lists import PictureCorpus
from kerasseq.data.pictures.store import FrozenEncoder, PictureStore
from kerasseq.data.public import datasets
from kerasseq.encoders import ConvolutionalFeatures, PictureEncoder
from kerasseq.metrics import CiderD
from kerasseq.models import SequenceModel
from kerasseq.models.functions import Functions
from kerasseq.preprocessing import CaptionPreprocessor
from kerasseq.special_ids import PAD
from kerasseq.training.self_critical import SelfCritical, SelfCriticalBatches


def read_parts(config: DataConfig, data_dir: str | None = None) -> Parts:
    """The pictures that a configuration names; see `common.parts.read_parts`."""

    def embedded() -> Parts:
        # Here, since the drawings and what renders them come in packages of their own.
        from kerasseq.applications.demos.scenes import NAME, scene_corpora

        return Parts(**scene_corpora(seed=config.seed), name=NAME, licence="CC BY-SA 4.0 drawings")

    def of_dataset(name: str) -> dict[str, CaptionedCorpus]:
        return datasets.pictures(name, data_dir)

    def corpus(lists: Sequence[str]) -> CaptionedCorpus:
        return PictureCorpus(lists, config.images or None)

    return parts.read_parts(config, "picture", of_dataset, corpus, embedded)


def learned(config: CaptioningConfig, captions: Iterable[str]) -> CaptionPreprocessor:
    """A preprocessor with the units of the captions."""
    units = config.tokenizer
    return CaptionPreprocessor.learn(
        captions,
        units.kind,
        units.vocabulary_size,
        steps=units.normalization,
        size=(config.pictures.size, config.pictures.size),
        frames=config.pictures.frames,
        max_target_length=units.max_length,
    )


def frozen(model: SequenceModel, changed: bool) -> FrozenEncoder | None:
    """The part of a model's encoder that no training changes, if its features can be kept.

    Args:
        changed: whether the pictures themselves change in training.
    """
    first = model.encoder.layers[0]
    if changed or not isinstance(first, PictureEncoder) or first.trainable:
        return None
    functions = Functions(first.variables, [first])

    def encode(features: dict) -> tuple:
        return first(features["values"], features["mask"])

    def function(features: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return tuple(map(ops.convert_to_numpy, functions("encode", encode, features, jit=False)))

    weights = hashlib.sha256()
    for variable in first.variables:
        weights.update(ops.convert_to_numpy(variable.value).tobytes())
    return FrozenEncoder(function, f"{first.scaling} {first.pool} {weights.hexdigest()}")


def prepare(
    config: CaptioningConfig,
    examples: Parts,
    model: SequenceModel,
    folder: Path,
    resume: bool = False,
) -> tuple[Prepared, dict[str, PictureStore]]:
    """The pictures to train on and to validate, as the training reads them, kept in `folder`.

    Raises:
        UserError: a run is resumed, but with other pictures.
    """
    pictures, settings = config.pictures, config.training
    encoder = frozen(model, changed=pictures.flip or pictures.shift > 0)
    done = "encoded" if encoder else "decoded"
    stores = {
        name: PictureStore.build(
            folder / name,
            corpus,
            model.preprocessor,
            encoder=encoder,
            replace=not resume,
            progress=telling(f"{name} pictures {done}"),
        )
        for name, corpus in (("valid", examples.valid), ("train", examples.train))
    }
    plan = functools.partial(picture_plan, rows=settings.batch_pictures, seed=settings.seed)
    # Batch norms that learn must not be told what is to be written.
    normed = isinstance(model.encoder.layers[0], ConvolutionalFeatures)
    steps = plan(stores["train"], **({"shapes": 1} if normed else {}))

    critic = _critic(model, stores["train"], config) if settings.self_critical else None

    def epoch(number: int) -> Sequence:
        changes = {"flip": pictures.flip, "shift": pictures.shift}
        batches = PictureBatches(stores["train"], steps, epoch=number, **changes)
        return SelfCriticalBatches(batches, critic, number) if critic else batches

    valid = PictureBatches(stores["valid"], plan(stores["valid"], every=True), every=True)
    problems = {name: store.problems for name, store in stores.items()}
    unknown = {name: [store.unknown] for name, store in stores.items()}
    epochs = Epochs(steps, epoch, on_policy=critic is not None)
    counts = len(stores["train"]), len(stores["valid"])
    return Prepared(epochs, valid, *counts, problems, unknown), stores


def _critic(model: SequenceModel, store: PictureStore, config: CaptioningConfig) -> SelfCritical:
    """CIDEr-D against the training captions, as ids with the end symbol, without which captions
    that stop in the middle would do best."""
    widest = int(store.caption_lengths().max())
    labels = store.labels(np.arange(int(store.starts[-1])), widest)
    rows = [row[row != PAD].tolist() for row in labels]
    spans = zip(store.starts[:-1], store.starts[1:], strict=True)
    reward = CiderD([rows[start:end] for start, end in spans])
    length, training = model.preprocessor.max_target_length, config.training
    return SelfCritical(model, reward.scores, length, training.draws, training.seed)
