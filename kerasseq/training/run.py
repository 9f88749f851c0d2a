"""A run folder: one training's configuration, log, checkpoints, curves and model."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import keras

from kerasseq import config as configuration
from kerasseq.errors import UserError
from kerasseq.training.checkpoint import Checkpoints, write_whole, writing
from kerasseq.training.folder import (
    ASIDE,
    CONFIG,
    LOCK,
    check_overwriting,
    forget_old,
    set_aside,
    undo,
)

# What a resumed run may raise, or set to 0 for no limit; and what changes no weights.
_LIMITS = ("epochs", "max_steps", "max_minutes")
_FREE = ("patience", "log_every", "save_every", "keep", "tensorboard")


class Run:
    """The folder of one training, held by one process at a time; a context manager.

        config.toml  log.jsonl  checkpoints/  curves.png  model.keras

    A run that fails before its first step leaves nothing behind.

    Args:
        folder: where; made if it is not there.
        config: the whole configuration, a frozen dataclass.
        resume: go on with the run that is there, which may be made longer: with more epochs, steps
            or minutes than it had; where there is none, one begins.
        keep: how many checkpoints stay.
        overwrite: delete the run that is there, once the new one has made its first step.

    Attributes:
        resumed: whether there was a run to go on with.
        changed: what differs from the configuration that the run had before it was resumed.

    Raises:
        UserError: the folder cannot be used, has other files or, without `resume` and `overwrite`,
            a run; or its run has another configuration, or another process is at it.
    """

    def __init__(
        self,
        folder: str | Path,
        config: object,
        resume: bool = False,
        keep: int = 2,
        overwrite: bool = False,
    ):
        self.folder = Path(folder)
        self.resumed = check(folder, config, resume, overwrite)
        self._made = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        self._stays, self._begun = self.resumed, False
        self.changed = _changes(self.folder, config)[0] if self.resumed else []
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.folder / LOCK)
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be used: {error.strerror}") from None
        try:
            if self.resumed:
                if self.changed:
                    self._record(config)
            else:
                if (self.folder / CONFIG).exists():
                    set_aside(self.folder)
                self._record(config)
            self.checkpoints = Checkpoints(self.folder / "checkpoints", keep)
        except BaseException as error:
            self.__exit__(type(error), error)
            raise

    def begin(self) -> None:
        """Note that a step is made: from here on the run stays, whatever happens."""
        if not self._begun:
            self._stays = self._begun = True
            forget_old(self.folder)

    def _record(self, config: object) -> None:
        text = configuration.to_toml(config).encode()
        write_whole(self.folder / CONFIG, lambda file: file.write(text))

    @property
    def curves_path(self) -> Path:
        return self.folder / "curves.png"

    @property
    def model_path(self) -> Path:
        return self.folder / "model.keras"

    @property
    def log_path(self) -> Path:
        return self.folder / "log.jsonl"

    def append(self, row: Mapping) -> None:
        """Add a row to the log."""
        with writing(self.log_path), open(self.log_path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def rows(self) -> list[dict]:
        """The rows of the log."""
        if not self.log_path.exists():
            return []
        lines = self.log_path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def mark(self) -> int:
        """The log's length in bytes, once all of it is on the disk: a checkpoint's place in it."""
        with writing(self.log_path), open(self.log_path, "a", encoding="utf-8") as file:
            os.fsync(file.fileno())
            return file.seek(0, os.SEEK_END)

    def rewind(self, mark: int) -> None:
        """Cut the log back to `mark`, so that it reads as if nothing had been interrupted."""
        if self.log_path.exists():
            os.truncate(self.log_path, min(mark, self.log_path.stat().st_size))

    def save_model(self, model: keras.Model) -> Path:
        """Write `model.keras`, whole or not at all, without the optimizer and its state."""
        part = self.folder / ".part.keras"
        compiled, optimizer = model.compiled, getattr(model, "optimizer", None)
        model.compiled, model.optimizer = False, None
        try:
            with writing(self.model_path):
                model.save(part)
                with open(part, "rb+") as file:
                    os.fsync(file.fileno())
                os.replace(part, self.model_path)
        finally:
            model.compiled, model.optimizer = compiled, optimizer
        return self.model_path

    def close(self) -> None:
        """Let another process have the folder."""
        self._lock.close()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: type | None = None, error: object = None, trace: object = None):
        try:
            # Who interrupts a run may want to go on with the data that it has prepared.
            if isinstance(error, Exception) and not self._stays and self.folder.exists():
                undo(self.folder, self._made)
        finally:
            self.close()


def check(
    folder: str | Path, config: object, resume: bool = False, overwrite: bool = False
) -> bool:
    """Whether a run goes on in a folder, or else begins in it; nothing is written.

    Raises:
        UserError: as `Run`.
    """
    folder = Path(folder)
    if resume and overwrite:
        raise UserError("--resume goes on with a run and --overwrite deletes it: choose one")
    if os.path.lexists(folder) and not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; choose another --output")
    try:
        names = set(os.listdir(folder)) if folder.exists() else set()
    except OSError as error:
        raise UserError(f"{folder}: cannot be used: {error.strerror}") from None
    if CONFIG not in names:
        # An old run alone is what a new one left that was killed as it began.
        if "checkpoints" in names:
            raise UserError(
                f"{folder}: has the checkpoints of a run, but its {CONFIG} is gone: put it back, "
                "or choose another --output"
            )
        if names - {LOCK, f"{CONFIG}.part", *([ASIDE] if overwrite else [])}:
            raise UserError(f"{folder}: has other files in it; choose another --output")
        return False
    if overwrite:
        check_overwriting(folder)
        return False
    changed, forbidden = _changes(folder, config)
    if forbidden or changed and not resume:
        raise UserError(
            f"{folder}: has a run with another configuration ({'; '.join(forbidden or changed)}); "
            "choose another --output, or repeat the run's own settings, of which --resume may "
            f"raise {', '.join(_LIMITS)} of [training], or delete it by --overwrite"
        )
    if not resume:
        raise UserError(
            f"{folder}: has a run already; go on with it by --resume, delete it by --overwrite, "
            "or choose another --output"
        )
    return True


def _changes(folder: Path, config: object) -> tuple[list[str], list[str]]:
    """What differs from the configuration of the run in a folder, and what of it must not."""
    # A key that is younger than the run has its default there.
    old = configuration.as_dict(configuration.read(type(config), [folder / CONFIG]))
    new = configuration.as_dict(config)
    before, now = old.get("training", {}), new.get("training", {})
    free = {name: now[name] for name in _FREE if name in now}
    for name in _LIMITS:
        if name in now and (not now[name] or 0 < before.get(name, 0) < now[name]):
            free[name] = now[name]
    followed = {**old, "training": {**before, **free}}
    return configuration.differences(old, new), configuration.differences(followed, new)


def _lock(path: Path):
    # The kernel lets go of it when the process ends, however it ends, so a lock is never stale.
    file = open(path, "a")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows, where two runs in one folder are the user's own care
        pass
    except BlockingIOError:
        file.close()
        raise UserError(f"{path.parent}: another process is training in this folder") from None
    return file
