"""One trial of a search: a training that stops where others were better."""

import contextlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import keras

from kerasseq import config as configuration
from kerasseq.applications.common import training
from kerasseq.applications.common.head import Head
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.tuning.space import Space, is_within
from kerasseq.applications.common.tuning.study import SLOTS, Study
from kerasseq.training import Position
from kerasseq.training.locking import lock_file


class Pruned(Exception):
    """Others were better at this point of their training."""


class Follower:
    """Follows the training of a trial, and ends it where others were better.

    A validation counts from its twentieth of the training on, up to that of the next one.

    Args:
        study: the trials.
        trial: this one.
        can_prune: whether the trial may end early.
        show: called with the part of the training that is done and the chosen validation.
    """

    def __init__(
        self, study: Study, trial: Any, can_prune: bool, show: Callable[[float, dict], None]
    ):
        self._study, self._trial, self._can_prune, self._show = study, trial, can_prune, show
        self._slot, self._value = -1, None

    def __call__(self, position: Position, share: float) -> None:
        slot, best = min(int(share * SLOTS), SLOTS), position.best
        if self._value is not None:
            for between in range(self._slot + 1, slot):
                self._trial.report(self._value, between)
        self._value = self._study.compute_value(best)
        if slot > self._slot:
            self._slot = slot
            self._trial.report(self._value, slot)
            facts = {"results": best, "share": share, "steps": position.step}
            for name, value in (facts | {"seconds": position.seconds}).items():
                self._trial.set_user_attr(name, value)
        self._show(share, best)
        if self._can_prune and share < 1 and self._trial.should_prune():
            raise Pruned


def run_trial(
    kind: type[Head],
    config: Any,
    space: Space,
    folder: Path,
    data: Path,
    parts: Parts,
    follow: Follower,
) -> tuple[dict, dict]:
    """Trains a model without its test part.

    Args:
        kind: the class of the head.
        config: the configuration.
        folder: of the run, which goes on if it was begun.
        data: the folder of encoded data that trials share.
        parts: the examples.

    Returns:
        The chosen validation, and facts on the training.
    """
    encoded, examples = _name_encoding(config, space), 0
    data.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        # Only one process at a time encodes the same data.
        lock = stack.enter_context(lock_file(data / f"{encoded}.lock", wait=True))

        class Trial(kind):
            def __init__(self, config: Any, parts: Parts):
                super().__init__(config, parts)
                self.follow, self.data_folder = follow, data / encoded

            def prepare(self, *arguments: Any) -> Any:
                nonlocal examples
                prepared = super().prepare(*arguments)
                examples = len(prepared.stores["valid"])
                lock.close()
                return prepared

            report = staticmethod(lambda *arguments: None)

        how = {"resume": True, "say": lambda text: None, "parts": parts._replace(test=None)}
        # The next trial needs the memory, also if this one fails.
        stack.callback(keras.backend.clear_session)
        card = training.train(Trial, _refuse_to_read, config, folder, **how).card
    facts = {"steps": card["steps"], "seconds": card["seconds"], "share": 1.0, "valid": examples}
    return card["validation"], facts


def _refuse_to_read(*arguments: Any) -> Parts:
    raise AssertionError("the examples are given")


def _name_encoding(config: Any, space: Space) -> str:
    """Returns a name that is equal for configurations whose data are encoded alike."""
    values = {
        key: value
        for key, value in flatten(configuration.to_dict(config)).items()
        if is_within(key, space.encoding)
    }
    return sha256(repr(sorted(values.items())).encode()).hexdigest()[:16]


def flatten(values: dict, path: str = "") -> dict[str, Any]:
    """Returns nested settings by their dotted keys."""
    flat = {}
    for key, value in values.items():
        inner = isinstance(value, dict)
        flat |= flatten(value, f"{path}{key}.") if inner else {path + key: value}
    return flat
