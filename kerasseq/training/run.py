"""A run folder: the configuration, log, checkpoints, curves and model of one training."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasseq import config as configuration
from kerasseq.errors import UserError
from kerasseq.training.checkpoint import Checkpoints
from kerasseq.training.files import explain_write_errors, write_atomically
from kerasseq.training.folder import (
    CONFIG,
    LOCK,
    check_run_folder,
    compare_configs,
    delete_replaced,
    restore_replaced,
    set_aside,
)
from kerasseq.training.locking import lock_file


class Run:
    """The folder of one training, as a context manager.

        config.toml  log.jsonl  checkpoints/  curves.png  model.keras

    One process at a time can use a folder. A run that fails before its first step leaves no files.

    Args:
        folder: the path of the folder; it is created if necessary.
        config: the whole configuration, a frozen dataclass.
        resume: continue the run in the folder, if there is one. The configuration may have more
            epochs, steps or minutes than before.
        keep: the number of checkpoints to keep.
        overwrite: delete the run in the folder after the first step of the new run.

    Attributes:
        resumed: whether this continues a run.
        changed: the differences from the configuration of the resumed run.
        advice: sentences on what went wrong in the training, once it is over.

    Raises:
        UserError: the folder cannot be used, or has files that are not a run's, or has a run
            although neither `resume` nor `overwrite` is set; or its run has another
            configuration, or another process uses it.

    Example:

    >>> import dataclasses
    >>> import kerasseq
    >>> @dataclasses.dataclass(frozen=True)
    ... class Config:
    ...     training: kerasseq.training.TrainingConfig = kerasseq.training.TrainingConfig()
    >>> with kerasseq.training.Run("my-run", Config()) as run:
    ...     run.append_to_log({"kind": "train", "step": 1, "loss": 2.5})
    ...     run.read_log()
    [{'kind': 'train', 'step': 1, 'loss': 2.5}]
    """

    def __init__(
        self,
        folder: str | Path,
        config: object,
        resume: bool = False,
        keep: int = 2,
        overwrite: bool = False,
    ):
        self.folder, self.advice = Path(folder), []
        self.resumed = check_run_folder(folder, config, resume, overwrite)
        self._created = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        self._keeps_files, self._has_step = self.resumed, False
        self.changed = compare_configs(self.folder, config)[0] if self.resumed else []
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.folder / LOCK)
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be used: {error.strerror}") from None
        try:
            if self.resumed:
                if self.changed:
                    self._write_config(config)
            else:
                if (self.folder / CONFIG).exists():
                    set_aside(self.folder)
                self._write_config(config)
            self.checkpoints = Checkpoints(self.folder / "checkpoints", keep)
        except BaseException as error:
            self.__exit__(type(error), error)
            raise

    def note_step(self) -> None:
        """Keeps the run from now on, whatever happens, because it has made a step."""
        if not self._has_step:
            self._keeps_files = self._has_step = True
            delete_replaced(self.folder)

    def _write_config(self, config: object) -> None:
        text = configuration.to_toml(config).encode()
        write_atomically(self.folder / CONFIG, lambda file: file.write(text))

    @property
    def curves_path(self) -> Path:
        return self.folder / "curves.png"

    @property
    def model_path(self) -> Path:
        return self.folder / "model.keras"

    @property
    def log_path(self) -> Path:
        return self.folder / "log.jsonl"

    def append_to_log(self, row: Mapping) -> None:
        """Appends a row to the log."""
        with (
            explain_write_errors(self.log_path),
            open(self.log_path, "a", encoding="utf-8") as file,
        ):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def read_log(self) -> list[dict]:
        """Returns the rows of the log."""
        if not self.log_path.exists():
            return []
        lines = self.log_path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def sync_log(self) -> int:
        """Writes the log to the disk, and returns its length in bytes, for a checkpoint."""
        with (
            explain_write_errors(self.log_path),
            open(self.log_path, "a", encoding="utf-8") as file,
        ):
            os.fsync(file.fileno())
            return file.seek(0, os.SEEK_END)

    def truncate_log(self, size: int) -> None:
        """Cuts the log to `size` bytes, those of the checkpoint that training continues from."""
        if self.log_path.exists():
            os.truncate(self.log_path, min(size, self.log_path.stat().st_size))

    def save_model(self, model: Any) -> Path:
        """Writes `model.keras` atomically, without the optimizer, and returns its path."""
        part = self.folder / ".part.keras"
        compiled, optimizer = model.compiled, getattr(model, "optimizer", None)
        model.compiled, model.optimizer = False, None
        try:
            with explain_write_errors(self.model_path):
                model.save(part)
                with open(part, "rb+") as file:
                    os.fsync(file.fileno())
                os.replace(part, self.model_path)
        finally:
            model.compiled, model.optimizer = compiled, optimizer
        return self.model_path

    def close(self) -> None:
        """Releases the folder for other processes."""
        self._lock.close()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: type | None = None, error: object = None, trace: object = None):
        try:
            # After an interruption keep the data, which the user may want to continue with.
            if isinstance(error, Exception) and not self._keeps_files and self.folder.exists():
                restore_replaced(self.folder, self._created)
        finally:
            self.close()


def _lock(path: Path):
    file = lock_file(path)
    if file is None:
        raise UserError(f"{path.parent}: another process is training in this folder")
    return file
