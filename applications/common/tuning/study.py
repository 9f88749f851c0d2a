"""The trials of a search, which several processes share in a folder."""

import contextlib
import json
import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerasseq.applications.common.tuning.space import decode
from kerasseq.errors import UserError
from kerasseq.training.locking import lock_file
from kerasseq.training.model_selection import METRICS, ModelSelection

SLOTS = 20
"""A trial is compared with others after each twentieth of its training."""

_TIE = 1e-3  # a greatest loss counts as much as this much of the metric
_REPEATS = 1  # of a trial that was cut off; the second time it counts as failed


def import_optuna() -> Any:
    """Returns the package optuna.

    Raises:
        UserError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise UserError('kerasseq tune needs Optuna: pip install "kerasseq[tune]".') from None
    optuna.logging.set_verbosity(logging.ERROR)
    return optuna


@dataclass(frozen=True)
class Row:
    """A trial.

    Attributes:
        number: counts from 0; the first trial is the base configuration.
        state: "complete", "pruned", "failed", "cut off" or "running".
        values: the settings that it drew.
        results: the chosen validation; of a pruned trial the latest choice.
        steps, seconds: of its training.
        error: the reason why it failed.
        share: the part of the training that was done.
        config: its whole configuration.
        folder: the name of its run folder.
        is_base: whether its settings are those that the search began with.
    """

    number: int
    state: str
    values: dict[str, Any]
    results: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    share: float = 0.0
    error: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    folder: str = ""
    is_base: bool = False


class Study:
    """The trials in a folder.

    Args:
        folder: the folder, which has the file `study.db`.
        by: "loss" or the metric that is compared.
        seed: of what is drawn.

    Attributes:
        folder: the folder.
    """

    def __init__(self, folder: Path, by: str, seed: int):
        self.folder, self.by, self._seed = folder, by, seed
        self._optuna = optuna = import_optuna()
        higher = by != "loss" and METRICS[by].higher_is_better
        file = os.path.abspath(folder / "study.db")
        (folder / "workers").mkdir(exist_ok=True)
        with self.lock():
            self._worker = self._start_worker()
        # Not by a URL, in which a path may mean something else; one connection for each thread.
        connect = {"creator": lambda: sqlite3.connect(file, timeout=120)}
        try:
            with self.lock():
                storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=connect)
                self._study = optuna.create_study(
                    study_name="kerasseq",
                    storage=storage,
                    direction="maximize" if higher else "minimize",
                    load_if_exists=True,
                    pruner=optuna.pruners.MedianPruner(4, SLOTS // 5),
                )
        except Exception as error:
            if not isinstance(error.__cause__ or error, sqlite3.Error):
                raise
            raise UserError(
                f"{file}: cannot be used as a study ({error.__cause__ or error}): put it back, or "
                "choose another --output"
            ) from None

    def _start_worker(self) -> Path:
        """Locks a file for as long as this process lives, and returns its path."""
        for number in range(1_000_000):
            path = self.folder / "workers" / f"{number}"
            if (file := lock_file(path)) is not None:
                self._held = file
                # What a dead process of this number ran must not look alive.
                name = f"{number}-{os.urandom(4).hex()}"
                file.truncate(0)
                file.write(name)
                file.flush()
                self._name = name
                return path
        raise AssertionError("a million processes")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other processes from changing the files of the folder meanwhile."""
        with lock_file(self.folder / ".lock", wait=True):
            yield

    def add_base(self, values: Mapping[str, Any]) -> None:
        """Makes the base configuration the first trial."""
        with self.lock():
            if not self._study.trials:
                self._study.enqueue_trial(dict(values), user_attrs={"base": True})

    def begin(self, trials: int) -> Any:
        """Returns the next trial, or None if there are `trials` already.

        Trials whose process is dead come first: they go on where they were.
        """
        optuna = self._optuna
        with self.lock(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._release_dead()
            rows = self.rows()
            if sum(row.state != "cut off" for row in rows) >= trials:
                return None
            # The same seed for the same trial, whichever process draws it.
            seed = (self._seed + len(rows)) % 2**32
            startup = max(5, trials // 4)
            self._study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup)
            trial = self._study.ask()
            trial.set_user_attr("worker", self._name)
            return trial

    def _release_dead(self) -> None:
        """Lets the trials of dead processes be repeated."""
        alive = self._list_alive()
        for trial in self._study.get_trials(deepcopy=False, states=(_state("RUNNING"),)):
            if trial.user_attrs.get("worker") not in alive:
                self._repeat(trial)

    def _list_alive(self) -> set[str]:
        alive = {self._name}
        for path in (self.folder / "workers").iterdir():
            if path == self._worker:
                continue
            if (file := lock_file(path)) is None:
                alive.add(path.read_text())
            else:
                file.close()
        return alive

    def _repeat(self, trial: Any) -> None:
        attrs = dict(trial.user_attrs)
        repeats = attrs.pop("repeats", 0)
        if repeats >= _REPEATS:
            self._set(trial, error="it was cut off again: its process ended")
        self._study.tell(trial.number, state=_state("FAIL"))
        if repeats < _REPEATS:
            attrs.pop("worker", None)
            attrs |= {"repeats": repeats + 1, "folder": attrs.get("folder", str(trial.number))}
            self._study.enqueue_trial(trial.params, user_attrs=attrs)

    def interrupt(self, trial: Any) -> None:
        """Lets a trial that was interrupted go on later."""
        with self.lock():
            frozen = self._study.get_trials(deepcopy=False)[trial.number]
            attrs = {k: v for k, v in frozen.user_attrs.items() if k != "worker"}
            attrs["folder"] = attrs.get("folder", str(trial.number))
            self._study.tell(trial.number, state=_state("FAIL"))
            self._study.enqueue_trial(frozen.params, user_attrs=attrs)

    def _set(self, trial: Any, **attributes: Any) -> None:
        live = self._optuna.Trial(self._study, trial._trial_id)
        for name, value in attributes.items():
            live.set_user_attr(name, value)

    def compute_value(self, results: Mapping[str, float]) -> float:
        """Returns the value that Optuna compares: the metric and, if it is equal, the loss."""
        loss = results["loss"]
        if self.by == "loss":
            return loss
        tie = _TIE * loss / (1 + abs(loss))
        value = ModelSelection(self.by).clip(results)
        return value - tie if METRICS[self.by].higher_is_better else value + tie

    def finish(self, trial: Any, results: Mapping[str, float], **facts: Any) -> None:
        """Records a trial that is complete."""
        self._set(trial, results=dict(results), **facts)
        self._study.tell(trial, self.compute_value(results))

    def prune(self, trial: Any) -> None:
        """Records a trial that was stopped."""
        self._study.tell(trial, state=_state("PRUNED"))

    def fail(self, trial: Any, error: str) -> None:
        """Records a trial that failed."""
        trial.set_user_attr("error", error)
        self._study.tell(trial, state=_state("FAIL"))

    def rows(self) -> list[Row]:
        """Returns the trials that were begun."""
        trials = self._study.get_trials(deepcopy=False)
        return [_make_row(trial) for trial in trials if trial.state != _state("WAITING")]

    def find_best(self, rows: list[Row], is_comparable: Any) -> Row | None:
        """Returns the complete trial with the best metric and, among equal ones, the least loss.

        Args:
            rows: the trials.
            is_comparable: tells whether the losses of two trials can be compared. Of trials that
                are equal, but whose losses cannot, the first is taken.
        """
        rows = [row for row in rows if row.state == "complete"]
        if not rows:
            return None
        if self.by != "loss":
            selection, sign = (
                ModelSelection(self.by),
                -1 if METRICS[self.by].higher_is_better else 1,
            )
            keys = [sign * selection.clip(row.results) for row in rows]
            rows = [row for row, key in zip(rows, keys, strict=True) if key == min(keys)]
        rows = [row for row in rows if is_comparable(rows[0], row)]
        return min(rows, key=lambda row: (row.results["loss"], row.number))


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]


_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running"}


def _make_row(trial: Any) -> Row:
    facts = {
        name: trial.user_attrs[name]
        for name in ("results", "steps", "seconds", "share", "error")
        if name in trial.user_attrs
    }
    state = _STATES.get(trial.state.name) or ("failed" if "error" in facts else "cut off")
    values = {key: decode(value) for key, value in trial.params.items()}
    config = json.loads(trial.user_attrs.get("config", "{}"))
    facts["folder"] = trial.user_attrs.get("folder", str(trial.number))
    facts["is_base"] = trial.user_attrs.get("base", False)
    return Row(trial.number, state, values, config=config, **facts)
