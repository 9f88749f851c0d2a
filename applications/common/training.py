"""What training a head is, whichever head: from a configuration to a measured model in a file."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras

from kerasseq.applications.common.starting import load_of_kind, provenance, take_encoder
from kerasseq.config import refuse_unused, to_dict
from kerasseq.data import BatchPlan
from kerasseq.data.problems import Problems
from kerasseq.data.splitting import MIN_VALIDATION
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import OptionError, UserError
from kerasseq.models import SequenceModel
from kerasseq.models.options import parse_options
from kerasseq.precision import dtype_policy_scope
from kerasseq.presets import find_model
from kerasseq.training import Run, TrainingConfig, fit
from kerasseq.training.files import write_atomically
from kerasseq.training.objective import get_loss_options
from kerasseq.training.run import check_run_folder

FEW = ", which are few to choose the best weights by: give more by --valid or data.valid_size"


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
        measured: how many there are to validate on.
        problems: what was left out of each part, by its name.
        unknown: by the name of each part, what of its texts the vocabulary lacks.
    """

    epochs: Epochs
    valid: Sequence[Any]
    examples: int
    measured: int
    problems: dict[str, Problems]
    unknown: dict[str, list[UnknownUnits]]


class Head(Protocol):
    """What tells one head's training from another's.

    Attributes:
        config: the whole configuration, with a section `training`.
        task: for the model's card.
        reads: what its models read: "text", "sound" or "picture".
        examples: what there are to train on: "pairs", "recordings".
    """

    config: Any
    task: str
    reads: str
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

    def scores(self, model: SequenceModel, say: Callable[[str], None]) -> dict[str, float]:
        """Figures of the test part, those of the command `evaluate`; says what it leaves out."""

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
    overwrite: bool = False,
) -> SequenceModel:
    """Train a head's model in the folder `output`, measure it, and say what it learned.

    A run that fails before its first step leaves no folder behind.

    Args:
        kind: makes the head of its configuration and the folder of data sets.
        whole: the configuration.
        output: the run folder.
        resume: go on with the run that is there; where there is none, one begins.
        data_dir: where data sets are.
        say: shows a text.
        overwrite: delete the run that is there.

    Raises:
        UserError: a setting has no effect, the data cannot be read, the folder holds another run
            or other files, or the model to start from cannot be loaded, reads something else or
            has another encoder.
    """
    refuse_unused(whole)
    config: TrainingConfig = whole.training
    if not check_run_folder(output, whole, resume, overwrite) and resume:
        say(f"There is no run to go on with in {output} yet: it begins.")
    if data_dir and not whole.data.dataset:
        raise UserError("--data-dir is where data sets are: name one with --dataset, or leave it.")
    begun = {}
    for name in filter(None, (config.start_from, config.encoder_from)):
        if overwrite and Path(output).resolve() in find_model(name).resolve().parents:
            raise UserError(f"{name}, which the run begins with, is in {output}: leave it there.")
        begun[name] = load_of_kind(name, kind.reads)
    start = begun.get(config.start_from)
    head = kind(whole, data_dir)
    keras.utils.set_random_seed(config.seed)
    with Run(output, whole, resume, config.keep, overwrite) as run:
        folder = run.folder / "data"
        preprocessor = start.preprocessor if start else _kept(head, folder)
        with dtype_policy_scope(config.precision):
            model = start.with_dtype_policy(config.precision) if start else head.build(preprocessor)
        _check_model(model, whole)
        if config.encoder_from:
            take_encoder(model, begun[config.encoder_from], config.encoder_from)
        data = head.prepare(model, folder, run.resumed)
        for part, problems in data.problems.items():
            if len(problems):
                say(f"{part}: {problems}")
        for part, some in data.unknown.items():
            for unknown in filter(len, some):
                say(f"{part}: {unknown}")
        say("\n".join(head.opening(model, data)))
        say(f"Valid   {data.measured:,} {head.examples}" + FEW * (data.measured < MIN_VALIDATION))
        measure = None if config.best_by == "loss" else head.measure
        position = fit(model, data.epochs, data.valid, config, run, measure, data.measured)
        if config.precision != "float32":
            # The file is to compute in full precision, whatever it was trained in.
            model = model.with_dtype_policy("float32")
        card = head.card(start.card if start else {})
        model.card = {
            "task": head.task,
            **card,
            **provenance(card, {name: other.card for name, other in begun.items()}),
            head.examples: data.examples,
            "steps": position.step,
            "seconds": round(position.seconds),
            "validation": position.best,
        }
        run.save_model(model)  # at once: measuring it takes time too
        scores = head.scores(model, say)
        model.card = {**model.card, "test": scores}
        run.save_model(model)
        head.report(model, run, scores, say)
    return model


def _check_model(model: SequenceModel, whole: Any) -> None:
    """That a model, which may be another run's, can do what [training] and [decoding] ask for.

    Raises:
        UserError: its loss has no such part, or an option of decoding has no effect.
    """
    model.compile(**get_loss_options(whole.training))
    options = parse_options({}, to_dict(whole).get("decoding", {}))
    idle = model.find_idle_options(options)
    if getattr(whole.tokenizer, "language_model", 0):
        idle.pop("lm_weight", None)  # it is learned with the data
    for name in sorted(options.changed_names() & set(idle)):
        raise UserError(OptionError(name, idle[name]).spelt("decoding.{}".format))


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
    write_atomically(written, lambda file: file.write(text))
    return preprocessor
