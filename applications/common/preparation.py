"""The data of a run, as the training loop reads them."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasseq.data import BatchPlan
from kerasseq.data.problems import Problems
from kerasseq.data.unknown import UnknownUnits

NAMES = {"train": "training", "valid": "validation", "test": "test"}
"""The name of each part in what a run says."""


class Epochs(NamedTuple):
    """The training batches.

    Attributes:
        plan: decides which examples are in which batch.
        epoch: returns the batches of the epoch of a number, from 0.
        on_policy: whether the batches are made with the model's current weights.
        reward: returns the mean reward of the last batch, if they are.
    """

    plan: BatchPlan
    epoch: Callable[[int], Sequence]
    on_policy: bool = False
    reward: Callable[[], float] | None = None


class Prepared(NamedTuple):
    """The data of a run.

    Attributes:
        stores: the encoded examples of the parts "train" and "valid".
        epochs: the training batches, epoch by epoch.
        valid: the validation batches.
        problems: by the name of a part, the examples that were left out.
        unknown: by the name of a part, the units that the vocabulary lacks.
    """

    stores: Mapping[str, Any]
    epochs: Epochs
    valid: Sequence[Any]
    problems: dict[str, Problems]
    unknown: dict[str, list[UnknownUnits]]


def build_stores(
    store: Any,
    folder: Path,
    parts: Any,
    preprocessor: Any,
    resume: bool,
    done: str,
    **options: Mapping[str, Any],
) -> dict[str, Any]:
    """Encodes the training and the validation part.

    Args:
        store: the class of the stores.
        folder: holds them.
        done: what is counted meanwhile: "recordings decoded".
        options: further arguments of `store.build`, by the name of the part.

    Raises:
        UserError: a run is resumed, but with other examples.
    """
    return {
        part: store.build(
            folder / part,
            getattr(parts, part),
            preprocessor,
            replace=not resume,
            progress=make_progress(f"{NAMES[part]} {done}"),
            **options.get(part, {}),
        )
        for part in ("valid", "train")
    }


def summarize(stores: Mapping[str, Any], epochs: Epochs, valid: Sequence[Any]) -> Prepared:
    """Returns the data of a run, with what its stores left out and did not know."""
    problems = {part: store.problems for part, store in stores.items()}
    # Of a validation part that was cut off, the problems are those of the whole.
    if str(problems["valid"]) == str(problems["train"]):
        del problems["valid"]
    unknown = {part: _list_unknown(store.unknown) for part, store in stores.items()}
    return Prepared(stores, epochs, valid, problems, unknown)


def _list_unknown(unknown: Any) -> list[UnknownUnits]:
    return list(unknown.values()) if isinstance(unknown, dict) else [unknown]


def make_progress(what: str, every: float = 5.0) -> Callable[[int], None]:
    """Returns a function that is called with the number of things that are done.

    It prints a line on standard error at most once in `every` seconds, and none before.
    """
    started = last = time.monotonic()

    def report(count: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every:
            last, rate = now, count / (now - started)
            print(f"{count:,} {what}, {rate:,.0f} a second", file=sys.stderr)

    return report
