"""What training a head is, whichever head: from a configuration to a measured model in a file."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras

from kerasseq.acoustics.augment import Augmentation
from kerasseq.applications.presets import load
from kerasseq.data import BatchPlan
from kerasseq.data.corpus import Problems
from kerasseq.data.unknown import UnknownUnits
from kerasseq.encoders import Chain
from kerasseq.errors import UserError
from kerasseq.models import SequenceModel
from kerasseq.precision import computing_in
from kerasseq.training import Run, TrainingConfig, fit
from kerasseq.training.checkpoint import write_whole


class Epochs(NamedTuple):
    """The training batches.

    Attributes:
        plan: which examples are in which batch.
        epoch: the batches of the epoch of a number, from 0.
        on_policy: whether they are made with the model's weights of the moment.
    """

    plan: BatchPlan
    epoch: Callable[[int], Sequence]
    on_policy: bool = False


class Prepared(NamedTuple):
    """The data of a run as the training loop reads them.

    Attributes:
        epochs: the training batches, epoch by epoch.
        valid: the validation batches.
        examples: how many there are to train on.
        problems: what was left out of each part, by its name.
        unknown: by the name of each part, what of its texts the vocabulary lacks.
    """

    epochs: Epochs
    valid: Sequence[Any]
    examples: int
    problems: dict[str, Problems]
    unknown: dict[str, list[UnknownUnits]]


class Head(Protocol):
    """What tells one head's training from another's.

    Attributes:
        config: the whole configuration, with a section `training`.
        task: for the model's card.
        examples: what there are to train on: "pairs", "recordings".
    """

    config: Any
    task: str
    examples: str

    def learned(self) -> Any:
        """A preprocessor, with what it learns of the training data."""

    def build(self, preprocessor: Any) -> SequenceModel:
        """The model of the configuration."""

    def prepare(self, model: SequenceModel, folder: Path, resume: bool) -> Prepared:
        """The data, encoded in `folder` for a model, which learns what needs no training."""

    def opening(self, model: SequenceModel, data: Prepared) -> Iterable[str]:
        """Lines on what is trained."""

    def card(self, before: dict) -> dict:
        """What is known of the data, for the model's card, which was `before` if it had one."""

    def measure(self, model: SequenceModel) -> dict[str, float]:
        """Figures of the validation part by which the best weights may be chosen."""

    def scores(self, model: SequenceModel) -> dict[str, float]:
        """Figures of the test part."""

    def report(
        self, model: SequenceModel, run: Run, scores: dict, say: Callable[[str], None]
    ) -> None:
        """Say and draw what the model learned, and name the commands to go on with."""


def train(
    kind: Callable[[Any, str | None], Head],
    whole: Any,
    output: str | Path,
    resume: bool = False,
    data_dir: str | None = None,
    say: Callable[[str], None] = print,
) -> SequenceModel:
    """Train a head's model in the folder `output`, measure it, and say what it learned.

    Args:
        kind: makes the head of its configuration and the folder of data sets.
        whole: the configuration.
        output: the run folder.
        resume: go on with the run that is there.
        data_dir: where data sets are.
        say: shows a text.

    Raises:
        UserError: the data cannot be read, the folder holds another run, or the model to start
            from cannot be loaded or has another encoder.
    """
    head = kind(whole, data_dir)
    config: TrainingConfig = head.config.training
    keras.utils.set_random_seed(config.seed)
    with Run(output, head.config, resume, config.keep) as run:
        folder = run.folder / "data"
        start = load(config.start_from) if config.start_from else None
        preprocessor = start.preprocessor if start else _kept(head, folder)
        with computing_in(config.precision):
            model = start.recast() if start else head.build(preprocessor)
        if config.encoder_from:
            _take_encoder(model, config.encoder_from)
        data = head.prepare(model, folder, resume)
        for part, problems in data.problems.items():
            if len(problems):
                say(f"{part}: {problems}")
        for part, some in data.unknown.items():
            for unknown in filter(len, some):
                say(f"{part}: {unknown}")
        say("\n".join(head.opening(model, data)))
        measure = None if config.best_by == "loss" else head.measure
        position = fit(model, data.epochs, data.valid, config, run, measure)
        if config.precision != "float32":
            # The file is to compute in full precision, whatever it was trained in.
            with computing_in("float32"):
                model = model.recast()
        model.card = {
            "task": head.task,
            **head.card(model.card),
            head.examples: data.examples,
            "steps": position.step,
            "seconds": round(position.seconds),
            "validation": position.best,
        }
        run.save_model(model)  # at once: measuring it takes time too
        scores = head.scores(model)
        model.card = {**model.card, "test": scores}
        run.save_model(model)
        head.report(model, run, scores, say)
    return model


def _take_encoder(model: SequenceModel, name: str) -> None:
    """Give the encoder of a model the weights of another model's."""
    other = load(name)
    if getattr(model, "frontend", None) is not None:
        raise UserError(
            "training.encoder_from is for encoders that read sound: this one stands on embeddings, "
            "which it would not take along; --start-from takes all of a model."
        )
    if not isinstance(other.encoder, Chain) or _heard(other.encoder) != _heard(model.encoder):
        raise UserError(
            f"training.encoder_from: the encoder of {name} is not built as this model's is: set "
            "[model.encoder] and [sound] as they were set there."
        )
    model.encoder.set_weights(other.encoder.get_weights())


def _heard(encoder: Chain) -> list[tuple[str, dict]]:
    """What the layers of an encoder are and do, but for what a second training may change."""
    free = {"name", "trainable", "dtype", "dropout", "attention_dropout", "dither"}
    free |= {"normalization", "chunk", "ahead", "offset"}  # a recogniser may learn to stream
    return [
        (type(layer).__name__, {k: v for k, v in layer.get_config().items() if k not in free})
        for layer in encoder.layers
        if not isinstance(layer, Augmentation)
    ]


def _kept(head: Head, folder: Path) -> Any:
    """The preprocessor in `folder`, or a new one, which is kept there."""
    written = folder / "preprocessor.json"
    if written.exists():
        preprocessor = keras.saving.deserialize_keras_object(json.loads(written.read_text()))
        preprocessor.load_assets(str(folder))
        return preprocessor
    folder.mkdir(parents=True, exist_ok=True)
    preprocessor = head.learned()
    preprocessor.save_assets(str(folder))
    text = json.dumps(keras.saving.serialize_keras_object(preprocessor)).encode()
    write_whole(written, lambda file: file.write(text))
    return preprocessor
