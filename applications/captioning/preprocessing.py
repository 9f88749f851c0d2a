"""From a configuration to pictures, units and batches of pictures."""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from keras import ops

from kerasseq.applications.captioning.config import CaptioningConfig
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.preparation import Epochs, Prepared, build_stores, summarize
from kerasseq.data.pictures.batches import PictureBatches, picture_plan
from kerasseq.data.pictures.store import FrozenEncoder, PictureStore
from kerasseq.encoders import ConvolutionalFeatures, PictureEncoder
from kerasseq.metrics import CiderD
from kerasseq.models import SequenceModel
from kerasseq.models.functions import Functions
from kerasseq.preprocessing import CaptionPreprocessor
from kerasseq.special_ids import PAD
from kerasseq.training.self_critical import SelfCritical, SelfCriticalBatches


def learn_preprocessor(config: CaptioningConfig, pictures: Parts) -> CaptionPreprocessor:
    """Returns a preprocessor with the units of the training part."""
    return config.tokenizer.learn(
        CaptionPreprocessor,
        pictures.train.texts(),
        size=(config.pictures.size, config.pictures.size),
        frames=config.pictures.frames,
    )


def freeze_encoder(model: SequenceModel, augmented: bool) -> FrozenEncoder | None:
    """Returns the part of a model's encoder whose features can be stored, if there is one.

    Args:
        augmented: whether training changes the pictures, and so their features.
    """
    first = model.encoder.layers[0]
    if augmented or not isinstance(first, PictureEncoder) or first.trainable:
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
) -> Prepared:
    """Encodes the pictures of a run in a folder, as far as training does not change their features.

    Raises:
        UserError: a run is resumed, but with other pictures.
    """
    pictures, settings = config.pictures, config.training
    encoder = freeze_encoder(model, augmented=pictures.flip or pictures.shift > 0)
    done = "pictures encoded" if encoder else "pictures decoded"
    options = dict.fromkeys(("valid", "train"), {"encoder": encoder})
    stores = build_stores(
        PictureStore, folder, examples, model.preprocessor, resume, done, **options
    )
    plan = functools.partial(picture_plan, rows=settings.batch_pictures, seed=settings.seed)
    # The statistics of batch norms that are trained must not depend on what is to be written.
    normed = isinstance(model.encoder.layers[0], ConvolutionalFeatures)
    steps = plan(stores["train"], **({"shapes": 1} if normed else {}))

    critic = _make_critic(model, stores["train"], config) if settings.self_critical else None

    def epoch(number: int) -> Sequence:
        changes = {"flip": pictures.flip, "shift": pictures.shift}
        batches = PictureBatches(stores["train"], steps, epoch=number, **changes)
        return SelfCriticalBatches(batches, critic, number) if critic else batches

    valid = PictureBatches(stores["valid"], plan(stores["valid"], every=True), every=True)
    policy = (True, lambda: critic.mean_reward) if critic else ()
    return summarize(stores, Epochs(steps, epoch, *policy), valid)


def _make_critic(
    model: SequenceModel, store: PictureStore, config: CaptioningConfig
) -> SelfCritical:
    """Returns the reward of captions: CIDEr-D against the training captions.

    Captions are ids with the end symbol, without which captions that stop in the middle would do
    best.
    """
    widest = int(store.caption_lengths().max())
    labels = store.labels(np.arange(int(store.starts[-1])), widest)
    rows = [row[row != PAD].tolist() for row in labels]
    spans = zip(store.starts[:-1], store.starts[1:], strict=True)
    reward = CiderD([rows[start:end] for start, end in spans])
    length, training = model.preprocessor.max_target_length, config.training
    return SelfCritical(model, reward.scores, length, training.draws, training.seed)
