"""The examples of a run, of the heads that read lists of files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kerasseq.data import datasets
from kerasseq.data.examples import Examples, cut_off
from kerasseq.errors import UserError


@dataclass(frozen=True)
class ListsConfig:
    """What to train on; no list and no data set mean the embedded default."""

    dataset: str = ""
    train: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    valid_size: float = 0.05  # examples cut off without `valid`, or below 1 the part of all
    seed: int = 1  # of that cut, and of the embedded default


class Parts(NamedTuple):
    """The examples of a run, and what is known of them."""

    train: Examples
    valid: Examples
    test: Examples | None
    name: str
    licence: str = "that of your own data"


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
    of_dataset: Callable[[str], dict[str, Examples]],
    corpus: Callable[[Sequence[str]], Examples],
    embedded: Callable[[], Parts],
) -> Parts:
    """The examples that a configuration names.

    Args:
        of_dataset: the parts of the data set of a name.
        corpus: the examples of some lists.
        embedded: the parts of the head's own default.

    Raises:
        UserError: the configuration names two things, or they cannot be read.
    """
    check(config)
    if config.dataset:
        dataset = datasets.find(config.dataset)
        parts = of_dataset(config.dataset)
        return Parts(**parts, name=dataset.title, licence=dataset.licence)
    if not config.train:
        return embedded()
    train = corpus(config.train)
    if config.valid:
        valid = corpus(config.valid)
    else:
        train, valid = cut_off(train, config.valid_size, seed=config.seed)
    test = corpus(config.test) if config.test else None
    return Parts(train, valid, test, ", ".join(Path(file).name for file in config.train))
