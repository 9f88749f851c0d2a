"""`kerasseq train translation`: from pairs to a model that is measured and saved."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import keras

from kerasseq.applications.translation.config import TranslationConfig
from kerasseq.applications.translation.model import build
from kerasseq.applications.translation.preprocessing import Parts, batches, read_parts, vocabularies
from kerasseq.applications.translation.report import report
from kerasseq.data import Corpus
from kerasseq.data.corpus import Problems
from kerasseq.generation import Beam, Greedy
from kerasseq.metrics import bleu, chrf, exact_match
from kerasseq.models import Options, Seq2Seq
from kerasseq.precision import computing_in
from kerasseq.preprocessing import TextPreprocessor
from kerasseq.training import Run, fit

MEASURED = 2000
"""Pairs of the test part that are translated at the end, at most."""


def train(
    config: TranslationConfig,
    output: str | Path,
    resume: bool = False,
    data_dir: str | None = None,
    say: Callable[[str], None] = print,
) -> Seq2Seq:
    """Train a model in the folder `output`, measure it on the test part, and say what it learned.

    Raises:
        UserError: the data cannot be read, or the folder holds another run.
    """
    keras.utils.set_random_seed(config.training.seed)
    parts = read_parts(config.data, data_dir)
    for _ in parts.test.chunks() if parts.test else ():
        pass  # what is wrong with the test part comes to light before the training
    with Run(output, config, resume, config.training.keep) as run:
        data = run.folder / "data"
        preprocessor = vocabularies(config.tokenizer, parts.train, data)
        epochs, valid, store, valid_store = batches(config, parts, preprocessor, data, resume)
        _tell(say, store.problems, valid_store.problems, parts.test)
        model = _built(config, preprocessor, config.training.precision)
        say(_opening(config, parts, model, len(store), epochs))
        measure = None
        if config.training.best_by == "bleu":
            measure = _validation_bleu(parts.valid)
        position = fit(model, epochs, valid, config.training, run, measure)
        if config.training.precision != "float32":
            # The file is to compute in full precision, whatever it was trained in.
            trained, model = model, _built(config, preprocessor, "float32")
            model.set_weights(trained.get_weights())
        model.card = {
            "task": "translation",
            "data": parts.name,
            "source": parts.source,
            "target": parts.target,
            "licence": parts.licence,
            "pairs": len(store),
            "steps": position.step,
            "seconds": round(position.seconds),
            "validation": position.best,
        }
        run.save_model(model)  # at once: measuring it takes time too
        scores = _scores(model, parts.test)
        model.card = {**model.card, "test": scores}
        run.save_model(model)
        report(model, parts, run, scores, say)
    return model


def _tell(say, training: Problems, validation: Problems, test: Corpus | None) -> None:
    """What was left out of each part."""
    if len(training):
        say(str(training))
    # Of a validation part that was cut off the problems are those of the whole.
    if len(validation) and str(validation) != str(training):
        say(f"validation: {validation}")
    if test is not None and len(test.problems):
        say(f"test: {test.problems}")


def _built(config: TranslationConfig, preprocessor: TextPreprocessor, precision: str) -> Seq2Seq:
    with computing_in(precision):
        return build(config.model, preprocessor)


def _opening(config, parts: Parts, model: Seq2Seq, pairs: int, epochs) -> str:
    preprocessor = model.preprocessor
    sizes = [preprocessor.source_vocabulary_size, preprocessor.target_vocabulary_size]
    vocabulary = f"{sizes[0]:,}" if preprocessor.shared else f"{sizes[0]:,} and {sizes[1]:,}"
    return (
        f"Data    {parts.name}: {pairs:,} pairs to train on\n"
        f"Model   {config.model.kind}, {model.count_params():,} parameters, "
        f"vocabulary {vocabulary}\n"
        f"Plan    {len(epochs.plan):,} steps an epoch, on {keras.backend.backend()}"
    )


def _validation_bleu(pairs: Corpus) -> Callable[[Seq2Seq], dict[str, float]]:
    sources, references = zip(*pairs, strict=True)

    def measure(model: Seq2Seq) -> dict[str, float]:
        texts = model.generate(list(sources), Options(Greedy()), batch_size=64, jit=False)
        return {"bleu": bleu(texts, references).value}

    return measure


def _scores(model: Seq2Seq, pairs: Corpus | None) -> dict[str, float]:
    if pairs is None:
        return {}
    sources, references = zip(*islice(pairs, MEASURED), strict=True)
    texts = model.generate(sources, Options(Beam(5)))
    scores = (exact_match(texts, references), bleu(texts, references), chrf(texts, references))
    return {score.name: round(score.value, 2) for score in scores}
