"""From a configuration to pairs, vocabularies and batches of ids."""

from pathlib import Path

from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.preparation import Epochs, Prepared, build_stores, summarize
from kerasseq.applications.translation.config import TranslationConfig
from kerasseq.data import BatchPlan, TokenBatches, TokenStore
from kerasseq.data.text.store import count_unknown_units
from kerasseq.preprocessing import TextPreprocessor


def learn_preprocessor(config: TranslationConfig, pairs: Parts) -> TextPreprocessor:
    """Returns a preprocessor with the vocabularies of the training part."""
    tokenizer = config.tokenizer
    return tokenizer.learn(
        TextPreprocessor,
        pairs.train,
        shared=tokenizer.shared,
        character_coverage=tokenizer.character_coverage,
        max_source_length=tokenizer.max_length,
    )


def prepare(
    config: TranslationConfig,
    pairs: Parts,
    preprocessor: TextPreprocessor,
    folder: Path,
    resume: bool = False,
) -> Prepared:
    """Encodes the pairs of a run in a folder.

    Raises:
        UserError: a run is resumed, but with other pairs.
    """
    sampling, settings = config.tokenizer.sampling or None, config.training
    options = {"train": {"keep_text": sampling is not None}}
    stores = build_stores(
        TokenStore, folder, pairs, preprocessor, resume, "pairs encoded", **options
    )

    def plan(store: TokenStore, sampling: float | None) -> BatchPlan:
        lengths = [store.lengths(side, sampling) for side in ("source", "target")]
        return BatchPlan(*lengths, seed=settings.seed, tokens=settings.batch_tokens)

    steps = plan(stores["train"], sampling)

    def epoch(number: int) -> TokenBatches:
        return TokenBatches(stores["train"], steps, sampling=sampling, epoch=number)

    valid = TokenBatches(stores["valid"], plan(stores["valid"], None))
    data = summarize(stores, Epochs(steps, epoch), valid)
    if pairs.test is not None:
        data.unknown["test"] = list(count_unknown_units(pairs.test, preprocessor).values())
        data.problems["test"] = pairs.test.problems
    return data
