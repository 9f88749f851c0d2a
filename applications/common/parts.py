"""The examples of a run, of the heads that read lists of files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from kerasseq.applications.common.starting import YOUR_OWN
from kerasseq.checks import Checked, Positive, Rule, Seed
from kerasseq.data.examples import Examples
from kerasseq.data.problems import Problems
from kerasseq.data.public import datasets
from kerasseq.data.splitting import MIN_VALIDATION, holdout
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import FileError, UserError

Files = Annotated[
    tuple[str, ...],
    Rule(
        "a list of file names, of which none is empty",
        lambda names: isinstance(names, tuple) and all(n and isinstance(n, str) for n in names),
    ),
]


@dataclass(frozen=True)
class ListsConfig(Checked):
    """What to train on; no list and no data set mean the embedded default."""

    dataset: str = ""
    train: Files = ()
    valid: Files = ()
    test: Files = ()
    valid_size: Positive = 0.05  # examples cut off without `valid`; see `part_size`
    seed: Seed = 1  # of that cut, and of the embedded default

    def find_unused(self) -> dict[str, str]:
        return find_unused(self)


class Parts(NamedTuple):
    """The examples of a run, and what is known of them."""

    train: Examples
    valid: Examples
    test: Examples | None
    name: str
    licence: str = YOUR_OWN


def find_unused(config: Any) -> dict[str, str]:
    """The settings of a section `data` that have no effect beside the others, and why."""
    found = {}
    if not config.train:
        found["valid_size"] = "nothing is cut off without training files (--train)"
    elif config.valid:
        found["valid_size"] = "the validation part is that of --valid"
    if config.dataset or (config.train and config.valid):
        found["seed"] = "nothing is cut off or made up by chance"
    return found


def check(config: Any) -> None:
    """That the data of a configuration are one thing.

    Raises:
        UserError: lists and a data set are both named, or no training list beside others.
    """
    if config.dataset and config.train:
        raise UserError("Name files (--train) or a data set (--dataset), not both.")
    if (config.valid or config.test) and not config.train:
        raise UserError("--valid and --test are read beside --train: name the training data too.")


def read_parts(
    config: ListsConfig,
    kind: Literal["sound", "picture"],
    of_dataset: Callable[[str], dict[str, Examples]],
    corpus: Callable[[Sequence[str]], Examples],
    embedded: Callable[[], Parts],
) -> Parts:
    """The examples that a configuration names.

    Args:
        kind: of data set that the head learns from.
        of_dataset: the parts of the data set of a name.
        corpus: the examples of some lists.
        embedded: the parts of the head's own default.

    Raises:
        UserError: the configuration names two things, or they cannot be read.
    """
    check(config)
    if config.dataset:
        dataset = datasets.of_kind(config.dataset, kind)
        parts = of_dataset(config.dataset)
        return checked(Parts(**parts, name=dataset.title, licence=dataset.licence))
    if not config.train:
        return embedded()
    train = corpus(config.train)
    if config.valid:
        valid = corpus(config.valid)
    else:
        train, valid = holdout(train, config.valid_size, config.seed, MIN_VALIDATION)
    test = corpus(config.test) if config.test else None
    names = ", ".join(Path(file).name for file in config.train)
    return checked(Parts(train, valid, test, names))


P = TypeVar("P")


def checked(parts: P) -> P:
    """The parts of a run, of which none is empty.

    Raises:
        UserError: one is.
    """
    for name in ("train", "valid", "test"):
        part = getattr(parts, name)
        if part is not None and next(iter(part), None) is None:
            raise UserError(f"{parts.name}: there is nothing in the {name} part.")
    return parts


def some_of(corpus: Examples, count: int, *how: Any) -> list[tuple[Any, Any]]:
    """Some examples of a corpus, from all over it, and what is read of each; others stand in for
    those that cannot be read.

    Args:
        count: at most.
        how: as `Examples.reader` has it.

    Raises:
        UserError: none can be read.
    """
    every = list(corpus)
    step = max(1, len(every) // count)
    chosen = every[::step]
    others = (example for place, example in enumerate(every) if place % step)
    found, problems = [], Problems()
    with corpus.reader(*how) as read:
        for example in chain(chosen, others):
            if len(found) == count:
                break
            try:
                found.append((example, read(example)))
            except FileError as error:
                problems.add(example.place, example.line, error.kind, example.path)
    if not found:
        raise UserError("\n  ".join(["No example can be read.", *str(problems).split("\n")]))
    return found


def unwritable(corpus: Examples | None, preprocessor: Any) -> list[UnknownUnits]:
    """What of the texts of a corpus a vocabulary lacks; nothing of no corpus."""
    found = UnknownUnits(preprocessor.writes)
    for example in corpus or ():
        for units in preprocessor.unknown(list(example.texts)):
            found.add(units)
    return [found]
