"""`kerasseq tune`: the search of a head's settings, from the base configuration to the best."""

import json
import shlex
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kerasseq import config as configuration
from kerasseq.applications.common.configuration import AUTO
from kerasseq.applications.common.head import Head
from kerasseq.applications.common.parts import Parts
from kerasseq.applications.common.tuning.progress import TrialProgress
from kerasseq.applications.common.tuning.results import (
    name_figure,
    show_table,
    write_picture,
    write_table,
)
from kerasseq.applications.common.tuning.setup import (
    configure_kinds,
    describe,
    prepare_folder,
    select_settings,
    write_text,
)
from kerasseq.applications.common.tuning.space import (
    KIND,
    Space,
    is_within,
    list_values,
    sample,
    widen,
)
from kerasseq.applications.common.tuning.study import Row, Study, import_optuna
from kerasseq.applications.common.tuning.trial import Follower, Pruned, run_trial
from kerasseq.config import list_keys
from kerasseq.data.public.dataset import HEADS
from kerasseq.data.splitting import MIN_VALIDATION
from kerasseq.errors import UserError
from kerasseq.training import Interrupted

_BEST = "best.toml"
_DRAW_SECONDS = 30.0  # between two pictures, of which each takes a second or two


def tune(
    kind: type[Head],
    read_parts: Callable[[Any, str | None], Parts],
    configure: Callable[..., Any],
    space: Space,
    data: Mapping[str, Any],
    model: str | None = None,
    config: str | None = None,
    overrides: Iterable[str] = (),
    data_dir: str | None = None,
    *,
    output: str | Path,
    trials: int | None = None,
    minutes: float | None = None,
    resume: bool = False,
    parts: Parts | None = None,
    say: Callable[[str], None] = print,
) -> Any:
    """Searches for settings that are better on the validation part.

    The first trial has the settings of `configure`, so that the result is never worse than they.
    The test part is not looked at. Several processes may work in one folder.

    Args:
        kind: the class of the head.
        read_parts: reads the examples, given the section `data` and the folder of data sets.
        configure: makes the configuration of the arguments `data` to `overrides`.
        space: what the head lets a search change.
        data, model, config: see `configure`.
        overrides: texts "section.key=value": settings that no trial changes.
        data_dir: the folder of data sets.
        output: the folder of the search.
        trials: the number of trials in the folder; by default that of before, or 20.
        minutes: the longest time that one trial trains.
        resume: go on with the search in that folder, or help a process that is at it.
        parts: the examples, if they are read already.
        say: prints a text.

    Returns:
        The best configuration.

    Raises:
        UserError: there is nothing to search, the data cannot be read, or the folder cannot be
            used.
        Interrupted: after Ctrl-C.
    """
    import_optuna()
    overrides = list(overrides)
    if minutes is not None:
        overrides.append(f"training.max_minutes={minutes:g}")
    fixed = [override.partition("=")[0].strip() for override in overrides]
    if len(set(fixed)) < len(fixed) and minutes is not None and fixed[-1] in fixed[:-1]:
        raise UserError("--minutes sets training.max_minutes: leave out one of them.")
    if trials is not None and trials < 1:
        raise UserError(f"--trials must be at least 1, not {trials}.")
    base = configure(data, model, config, overrides, data_dir)
    by = base.training.best_by
    settings, left_out = select_settings(space, base, fixed)
    bases, more = {base.model.kind: base}, []
    named = model or config not in (None, AUTO)
    if not (named or base.training.start_from or is_within(KIND, fixed)):
        bases, more = configure_kinds(space, base, configure, (data, config, overrides, data_dir))
    elif named:
        fixed.append(KIND)
    left_out |= dict(more)
    # Not those that no kind has, as the decoder's of CTC.
    keys = {key for one in bases.values() for key in list_keys(one)}
    settings = widen([one for one in settings if one.key in keys], base)
    if not settings and len(bases) < 2:
        raise UserError("There is no setting left to tune: fix fewer of them by --set.")
    parts = parts or read_parts(base.data, data_dir)
    folder = Path(output)
    trials = prepare_folder(folder, base, trials, resume)
    study = Study(folder, by, base.training.seed)
    study.add_base(list_values(base, bases, settings))
    search = _Search(kind, space, study, bases, settings, parts, data_dir, trials, say)
    say("\n".join(describe(trials, base, bases, settings, left_out, fixed)))
    search.run()
    return search.conclude()


class _Search:
    """The trials that this process runs."""

    def __init__(
        self,
        kind: type[Head],
        space: Space,
        study: Study,
        bases: Mapping[str, Any],
        settings: tuple,
        parts: Parts,
        data_dir: str | None,
        trials: int,
        say: Callable[[str], None],
    ):
        self.kind, self.space, self.study, self.bases = kind, space, study, bases
        self.settings, self.parts, self.data_dir = settings, parts, data_dir
        self.trials, self.say = trials, say
        self.by = study.by
        self._warned, self._drawing_due = False, time.monotonic() + _DRAW_SECONDS

    def run(self) -> None:
        """Runs trials until there are enough in the folder."""
        with TrialProgress(self.trials, self.by) as progress:
            while trial := self.study.begin(self.trials):
                try:
                    self._run_one(trial, progress)
                except KeyboardInterrupt as error:
                    self.study.interrupt(trial)
                    self._write(last=True)
                    code = getattr(error, "code", 130)
                    raise Interrupted(self._explain_interruption(trial), code) from None
                self._write()

    def _run_one(self, trial: Any, progress: TrialProgress) -> None:
        attributes = trial.user_attrs
        is_base = attributes.get("base", False)
        folder = self.study.folder / "trials" / attributes.get("folder", str(trial.number))
        progress.start(trial.number, self._rows(), self._best())
        follow = Follower(self.study, trial, not is_base, progress.show)
        try:
            config = sample(trial, self.bases, self.settings)
            config = next(iter(self.bases.values())) if is_base else config  # nothing is rounded
            trial.set_user_attr("config", json.dumps(configuration.to_dict(config)))
            arguments = (folder, self.study.folder / "data", self.parts, follow)
            results, facts = run_trial(self.kind, config, self.space, *arguments)
            self._check(results)
            self.study.finish(trial, results, **facts)
            self._warn_of_few(facts["valid"], progress)
        except Pruned:
            self.study.prune(trial)
        except Exception as error:  # one bad trial never stops the search
            self.study.fail(trial, _describe_error(error))
            if is_base and isinstance(error, UserError) and not folder.exists():
                raise  # not even a first step: no other trial will do better
        self._clear(folder)
        row = self._rows()[trial.number]
        progress.finish(row, self._best())

    @staticmethod
    def _check(results: Mapping[str, float]) -> None:
        if not abs(results["loss"]) < float("inf"):
            raise UserError(f"the loss of validation is {results['loss']}")

    def _warn_of_few(self, examples: int, progress: TrialProgress) -> None:
        if self._warned:
            return
        self._warned = True
        if 0 < examples < 10 * MIN_VALIDATION:
            progress.say(
                f"Validation has {examples:,} {self.kind.examples}, of which each makes up "
                f"{100 / examples:.2g} %: smaller differences between trials may be chance."
            )

    def _clear(self, folder: Path) -> None:
        """Deletes what no later trial needs: checkpoints, and the models of all but the best."""
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        with self.study.lock():
            best = self._best()
            for path in self.study.folder.glob("trials/*/model.keras"):
                finished = not (path.parent / "checkpoints").exists()
                if finished and (best is None or path.parent != self._folder(best)):
                    path.unlink(missing_ok=True)

    def _folder(self, row: Row) -> Path:
        return self.study.folder / "trials" / row.folder

    def _rows(self) -> list[Row]:
        return self.study.rows()

    def _best(self) -> Row | None:
        return self.study.find_best(self._rows(), self._is_comparable)

    def _is_comparable(self, one: Row, other: Row) -> bool:
        """Returns whether the losses of two trials can be compared."""

        def units(row: Row) -> dict:
            return {k: v for k, v in row.values.items() if is_within(k, self.space.units)}

        return units(one) == units(other)

    def _write(self, last: bool = False) -> None:
        """Writes the table, the best configuration and, not too often, the picture."""
        best = self._best()
        with self.study.lock():
            write_table(self.study.folder, self._rows(), best, self.by)
            if last or time.monotonic() > self._drawing_due:
                write_picture(self.study.folder, self._rows(), best, self.by)
                self._drawing_due = time.monotonic() + _DRAW_SECONDS
            if best:
                write_text(self.study.folder / _BEST, configuration.to_toml(self._config(best)))

    def _config(self, row: Row) -> Any:
        return configuration.from_dict(type(next(iter(self.bases.values()))), row.config)

    def _explain_interruption(self, trial: Any) -> str:
        done = sum(row.state in ("complete", "pruned", "failed") for row in self._rows())
        best = self._best()
        so_far = f" The best so far is in {self.study.folder / _BEST}." if best else ""
        return (
            f"Interrupted in trial {trial.number}, with {done} of {self.trials} done; go on with "
            f"the same command and --resume.{so_far}"
        )

    def conclude(self) -> Any:
        """Says how the search ended, and returns the best configuration.

        Raises:
            UserError: no trial is complete.
        """
        self._write(last=True)
        rows, best, folder, say = self._rows(), self._best(), self.study.folder, self.say
        if best is None:
            reasons = [row.error for row in rows if row.error]
            raise UserError(f"No trial is complete. {reasons[0] if reasons else ''}".strip())
        if not any(row.state == "running" for row in rows):
            shutil.rmtree(folder / "data", ignore_errors=True)
        say("")
        say(show_table(rows, best, self.by))
        base = next((row for row in rows if row.state == "complete" and row.is_base), None)
        if base and base.number == best.number:
            say("\nThe settings to begin with are the best: no trial was better.")
        elif base:
            figures = [row.results[self.by] for row in (base, best)]
            say(f"\n{name_figure(self.by)} of validation: {figures[0]:.4g} → {figures[1]:.4g}")
        if running := sum(row.state == "running" for row in rows):
            say(f"{running} of the trials still run in other processes.")
        for name, path in {
            "settings": _BEST,
            "model": self._folder(best).relative_to(folder) / "model.keras",
            "table": "trials.tsv",
            "what mattered": "trials.png",
        }.items():
            say(f"{name:<15} {folder / path}")
        say(f"\nGo on with\n  {self._make_command(folder / _BEST)}")
        return self._config(best)

    def _make_command(self, best: Path) -> str:
        words = ["kerasseq", "train", HEADS[self.kind.reads], "--config", str(best)]
        words += ["--data-dir", self.data_dir] if self.data_dir else []
        return shlex.join(words)


def _describe_error(error: Exception) -> str:
    text = str(error).strip().split("\n")[0][:300]
    return text if isinstance(error, UserError) and text else f"{type(error).__name__}: {text}"
