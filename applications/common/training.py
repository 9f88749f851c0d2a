"""The training of every head: from a configuration to a measured model in a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kerasseq.applications.common.configuration import check_run
from kerasseq.applications.common.encoders import copy_encoder
from kerasseq.applications.common.head import Head
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.preparation import NAMES, Prepared
from kerasseq.applications.common.starting import describe_origins, load_start
from kerasseq.applications.common.vocabularies import judge_vocabulary
from kerasseq.applications.common.watching import make_measure, make_watch
from kerasseq.config import to_dict
from kerasseq.data.inspection.advice import advise
from kerasseq.data.splitting import MIN_VALIDATION
from kerasseq.errors import OptionError, UserError
from kerasseq.models import SequenceModel
from kerasseq.models.options import parse_options
from kerasseq.precision import dtype_policy_scope
from kerasseq.training import Run, TrainingConfig, fit
from kerasseq.training.files import write_atomically
from kerasseq.training.objective import get_loss_options

MOST_ADVICE = 3
"""The most sentences on what is wrong with the data, before the training."""

FEW = ", which are few to choose the best weights by: give more by --valid or data.valid_size"


def train(
    kind: Callable[[Any, Parts], Head],
    read_parts: Callable[[Any, str | None], Parts],
    whole: Any,
    output: str | Path,
    resume: bool = False,
    data_dir: str | None = None,
    say: Callable[[str], None] = print,
    overwrite: bool = False,
    parts: Parts | None = None,
) -> SequenceModel:
    """Trains a model in a run folder, measures it, and says what it learned.

    A run that fails before its first step leaves no folder behind.

    Args:
        kind: the class of the head, called with the configuration and the examples.
        read_parts: reads the examples, given the section `data` and the folder of data sets.
        whole: the configuration.
        output: the run folder.
        resume: continue the run in that folder, or begin one if there is none.
        data_dir: the folder of data sets.
        say: prints a text.
        overwrite: delete the run in that folder.
        parts: the examples, if they are read already.

    Raises:
        UserError: a setting has no effect, the data cannot be read, the folder holds another run
            or other files, or the model to start from cannot be loaded, reads something else or
            has another encoder.
    """
    config: TrainingConfig = whole.training
    if not check_run(whole, output, resume, data_dir, overwrite) and resume:
        say(f"There is no run to go on with in {output} yet: it begins.")
    names = filter(None, (config.start_from, config.encoder_from))
    origins = {name: load_start(name, kind.reads) for name in names}
    start = origins.get(config.start_from)
    head = kind(whole, parts or read_parts(whole.data, data_dir))
    keras.utils.set_random_seed(config.seed)
    with Run(output, whole, resume, config.keep, overwrite) as run:
        folder = head.data_folder or run.folder / "data"
        own = whole.data.train or whole.data.dataset
        if own and not run.resumed and head.follow is None:
            for sentence in advise(head.parts.corpora())[:MOST_ADVICE]:
                say(f"Advice  {sentence}")
        preprocessor = start.preprocessor if start else _load_or_learn(head, folder)
        with dtype_policy_scope(config.precision):
            model = start.with_dtype_policy(config.precision) if start else head.build(preprocessor)
        _check_model(model, whole)
        if config.encoder_from:
            other = origins[config.encoder_from]
            copy_encoder(model, other, whole, kind.read_encoder(whole, other))
        data = head.prepare(model, folder, run.resumed)
        for notes in (data.problems, data.unknown):
            for part, some in notes.items():
                for note in filter(len, some if isinstance(some, list) else [some]):
                    say(f"{NAMES[part]}: {note}")
        say("\n".join(head.describe(model, data)))
        count = len(data.stores["valid"])
        say(f"Valid   {count:,} {head.examples}" + FEW * (count < MIN_VALIDATION))
        notes = {}
        if start:
            texts = head.iterate_texts()
            notes["vocabulary"] = judge_vocabulary(preprocessor, texts, config.start_from)
        watch = make_watch(head, model, data, notes)
        measure = make_measure(head, watch, config)
        position = fit(
            *(model, data.epochs, data.valid, config, run, measure, count),
            silent=head.follow is not None,
            watch=watch,
            follow=head.follow,
        )
        if config.precision != "float32":
            # The file is to compute in full precision, whatever it was trained in.
            model = model.with_dtype_policy("float32")
        card = head.make_card(start.card if start else {})
        model.card = {
            "task": head.task,
            **card,
            **describe_origins(card, {name: other.card for name, other in origins.items()}),
            head.examples: len(data.stores["train"]),
            "steps": position.step,
            "seconds": round(position.seconds),
            "validation": position.best,
        }
        run.save_model(model)  # at once: measuring it takes time too
        model.card = {**model.card, **head.calibrate(model)}
        scores = _measure_test_part(head, model, data, say)
        model.card = {**model.card, "test": scores}
        run.save_model(model)
        head.report(model, head.parts, run, scores, say)
    return model


def _check_model(model: SequenceModel, whole: Any) -> None:
    """Checks that a model, which may be another run's, can do what the configuration asks for.

    Raises:
        UserError: its loss lacks a part of [training], or an option of [decoding] has no effect.
    """
    model.compile(**get_loss_options(whole.training))
    options = parse_options({}, to_dict(whole).get("decoding", {}))
    unused = model.find_idle_options(options)
    if getattr(whole.tokenizer, "language_model", 0):
        unused.pop("lm_weight", None)  # the language model is learned with the data
    for name in sorted(options.changed_names() & set(unused)):
        raise UserError(OptionError(name, unused[name]).spell("decoding.{}".format))


def _load_or_learn(head: Head, folder: Path) -> Any:
    """Loads the preprocessor in a folder, or learns one and saves it there."""
    file = folder / "preprocessor.json"
    if file.exists():
        preprocessor = keras.saving.deserialize_keras_object(json.loads(file.read_text()))
        preprocessor.load_assets(str(folder))
        return preprocessor
    folder.mkdir(parents=True, exist_ok=True)
    preprocessor = head.learn_preprocessor()
    preprocessor.save_assets(str(folder))
    text = json.dumps(keras.saving.serialize_keras_object(preprocessor)).encode()
    write_atomically(file, lambda opened: opened.write(text))
    return preprocessor


def _measure_test_part(
    head: Head, model: SequenceModel, data: Prepared, say: Callable[[str], None]
) -> dict[str, float]:
    """Returns the scores of the test part, and says what was left out unless that is known."""
    if head.parts.test is None:
        return {}
    result = head.evaluate(model, head.parts.test)
    if len(result.problems) and "test" not in data.problems:
        say(f"{NAMES['test']}: {result.problems}")
    return {score.name: round(score.value, 2) for score in result.scores}
