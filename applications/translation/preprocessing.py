"""From a configuration to pairs, vocabularies and batches of ids."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from kerasseq.applications.common.parts import check, checked
from kerasseq.applications.common.progress import telling
from kerasseq.applications.common.starting import YOUR_OWN
from kerasseq.applications.common.training import Epochs, Prepared
from kerasseq.applications.translation.config import DataConfig, TokenizerConfig, TranslationConfig
from kerasseq.data import (
    BatchPlan,
    FileCorpus,
    ListCorpus,
    PairCorpus,
    TokenBatches,
    TokenStore,
    holdout,
)
from kerasseq.data.public import datasets
from kerasseq.data.splitting import MIN_VALIDATION
from kerasseq.data.text.store import count_unknown_units
from kerasseq.preprocessing import TextPreprocessor


class Parts(NamedTuple):
    """The pairs of a run, and what is known of them."""

    train: PairCorpus
    valid: PairCorpus
    test: PairCorpus | None
    name: str
    source: str = ""
    target: str = ""
    licence: str = YOUR_OWN


def read_parts(config: DataConfig, data_dir: str | None = None) -> Parts:
    """The pairs that a configuration names.

    Raises:
        UserError: files and a data set are both named, or no training files beside others, or
            files cannot be read.
    """
    check(config)
    if config.dataset:
        dataset = datasets.of_kind(config.dataset, "text")
        source, target = dataset.direction(config.source or None, config.target or None)
        parts = datasets.pairs(dataset.name, source, target, data_dir)
        whole = Parts(
            parts["train"],
            parts["valid"],
            parts["test"],
            dataset.title,
            source,
            target,
            dataset.licence,
        )
        return checked(whole)
    if not config.train:
        # Here, since the words of these phrases come in a package of their own.
        from kerasseq.applications.demos.phrases.corpus import corpus as embedded

        languages = {"source": config.source or "en", "target": config.target or "de"}
        phrases = embedded(**languages, seed=config.seed)
        parts = {part: ListCorpus(pairs, part) for part, pairs in phrases.items()}
        return Parts(
            **parts, name="phrases of the Unicode CLDR", **languages, licence="Unicode-3.0"
        )
    read = partial(FileCorpus, languages=(config.source, config.target))
    train = read(config.train, config.limit)
    if config.valid:
        valid = read(config.valid, config.limit)
    else:
        train, valid = holdout(train, config.valid_size, config.seed, MIN_VALIDATION)
    test = read(config.test) if config.test else None
    names = ", ".join(Path(file).name for file in config.train)
    return checked(Parts(train, valid, test, names, config.source, config.target))


def learned(config: TokenizerConfig, pairs: PairCorpus) -> TextPreprocessor:
    """A preprocessor with the vocabularies of the pairs."""
    return TextPreprocessor.learn(
        pairs,
        config.kind,
        config.vocabulary_size,
        shared=config.shared,
        steps=config.normalization,
        character_coverage=config.character_coverage,
        max_source_length=config.max_length,
        max_target_length=config.max_length,
    )


def prepare(
    config: TranslationConfig,
    parts: Parts,
    preprocessor: TextPreprocessor,
    folder: Path,
    resume: bool = False,
) -> Prepared:
    """The pairs of all parts, encoded in `folder`.

    Raises:
        UserError: a run is resumed, but with other pairs.
    """
    sampling = config.tokenizer.sampling or None
    store = TokenStore.build(
        folder / "train",
        parts.train,
        preprocessor,
        keep_text=sampling is not None,
        replace=not resume,
        progress=telling("training pairs encoded"),
    )
    valid = TokenStore.build(
        folder / "valid",
        parts.valid,
        preprocessor,
        replace=not resume,
        progress=telling("validation pairs encoded"),
    )

    def plan(store: TokenStore, sampling: float | None) -> BatchPlan:
        lengths = [store.lengths(side, sampling) for side in ("source", "target")]
        return BatchPlan(*lengths, seed=config.training.seed, tokens=config.training.batch_tokens)

    problems = {"training": store.problems}
    # Of a validation part that was cut off the problems are those of the whole.
    if str(valid.problems) != str(store.problems):
        problems["validation"] = valid.problems
    unknown = {"training": store.unknown, "validation": valid.unknown}
    if parts.test is not None:
        unknown["test"] = count_unknown_units(parts.test, preprocessor)
        problems["test"] = parts.test.problems
    sides = {name: list(some.values()) for name, some in unknown.items()}
    steps = plan(store, sampling)

    def epoch(number: int) -> TokenBatches:
        return TokenBatches(store, steps, sampling=sampling, epoch=number)

    unsampled = TokenBatches(valid, plan(valid, None))
    return Prepared(Epochs(steps, epoch), unsampled, len(store), len(valid), problems, sides)
