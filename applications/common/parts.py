"""The examples of a run, in parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple

from kerasseq.checks import Checked, Positive, Rule, Seed
from kerasseq.data.examples import Examples
from kerasseq.data.problems import Problems
from kerasseq.data.public import datasets
from kerasseq.data.splitting import MIN_VALIDATION, holdout
from kerasseq.data.unknown import UnknownUnits
from kerasseq.errors import FileError, UserError

YOUR_OWN = "that of your own data"
"""The licence of the user's own files."""

Files = Annotated[
    tuple[str, ...],
    Rule(
        "a list of file names, of which none is empty",
        lambda names: isinstance(names, tuple) and all(n and isinstance(n, str) for n in names),
    ),
]


@dataclass(frozen=True)
class DataConfig(Checked):
    """What to train on; without files and without a data set, the head's demonstration."""

    dataset: str = ""
    train: Files = ()
    valid: Files = ()
    test: Files = ()
    valid_size: Positive = 0.05  # examples cut off without `valid`; see `part_size`
    seed: Seed = 1  # of that cut, and of the demonstration

    def find_unused(self) -> dict[str, str]:
        unused = {}
        if not self.train:
            unused["valid_size"] = "nothing is cut off without training files (--train)"
        elif self.valid:
            unused["valid_size"] = "the validation part is that of --valid"
        if self.dataset or (self.train and self.valid):
            unused["seed"] = "nothing is cut off or made up by chance"
        return unused


class Parts(NamedTuple):
    """The examples of a run, and what is known of them.

    Attributes:
        train, valid, test: the examples.
        name: the name of the data.
        licence: the licence of the data.
        source, target: the languages of pairs.
        whole: the training and the validation part together, if one was cut off the other.
    """

    train: Any
    valid: Any
    test: Any
    name: str
    licence: str = YOUR_OWN
    source: str = ""
    target: str = ""
    whole: Any = None

    def corpora(self) -> dict[str, Any]:
        """Returns the examples by the names of their parts; None for a part that there is not."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    @classmethod
    def from_demo(cls, demo: ModuleType, **options: Any) -> "Parts":
        """Makes the examples of a demonstration.

        Args:
            demo: a module with `make_corpora`, `NAME` and `LICENCE`.
            options: of `make_corpora`.
        """
        return cls(**demo.make_corpora(**options), name=demo.NAME, licence=demo.LICENCE)


def read_parts(
    config: DataConfig,
    kind: Literal["text", "sound", "picture"],
    read_dataset: Callable[[Any], Mapping[str, Any]],
    read_files: Callable[[str, Sequence[str]], Any],
    make_demo: Callable[[], Parts],
) -> Parts:
    """Reads the examples that a configuration names.

    Args:
        kind: the kind of data set that the head learns from.
        read_dataset: returns the parts of a data set, and further fields of `Parts`.
        read_files: returns the examples of files, for the part of a name.
        make_demo: returns the parts of the demonstration.

    Raises:
        UserError: the configuration names two things, they cannot be read, or a part is empty.
    """
    if config.dataset and config.train:
        raise UserError("Name files (--train) or a data set (--dataset), not both.")
    if (config.valid or config.test) and not config.train:
        raise UserError("--valid and --test are read beside --train: name the training data too.")
    if config.dataset:
        dataset = datasets.find_of_kind(config.dataset, kind)
        fields = {"name": dataset.title, "licence": dataset.licence, **read_dataset(dataset)}
        return _check(Parts(**fields))
    if not config.train:
        return make_demo()
    train, whole = read_files("train", config.train), None
    if config.valid:
        valid = read_files("valid", config.valid)
    else:
        whole = train
        train, valid = holdout(train, config.valid_size, config.seed, MIN_VALIDATION)
    test = read_files("test", config.test) if config.test else None
    name = ", ".join(Path(file).name for file in config.train)
    return _check(Parts(train, valid, test, name, whole=whole))


def _check(parts: Parts) -> Parts:
    """Returns the parts, or raises a UserError if one is empty."""
    for name in ("train", "valid", "test"):
        part = getattr(parts, name)
        if part is not None and next(iter(part), None) is None:
            raise UserError(f"{parts.name}: there is nothing in the {name} part.")
    return parts


def read_some(corpus: Examples, count: int, *how: Any) -> list[tuple[Any, Any]]:
    """Reads some examples from all over a corpus; others replace those that cannot be read.

    Args:
        count: the greatest number of examples.
        how: how to read them, see `Examples.reader`.

    Returns:
        Each example with what is read.

    Raises:
        UserError: no example can be read.
    """
    examples = list(corpus)
    step = max(1, len(examples) // count)
    others = (example for place, example in enumerate(examples) if place % step)
    some, problems = [], Problems()
    with corpus.reader(*how) as read:
        for example in chain(examples[::step], others):
            if len(some) == count:
                break
            try:
                some.append((example, read(example)))
            except FileError as error:
                problems.add(example.place, example.line, error.kind, example.path)
    if not some:
        raise UserError("\n  ".join(["No example can be read.", *str(problems).split("\n")]))
    return some


def find_unknown_units(corpus: Examples | None, preprocessor: Any) -> list[UnknownUnits]:
    """Returns the units in the texts of a corpus that a vocabulary lacks."""
    unknown = UnknownUnits(preprocessor.writes)
    for example in corpus or ():
        for units in preprocessor.unknown(list(example.texts)):
            unknown.add(units)
    return [unknown]
