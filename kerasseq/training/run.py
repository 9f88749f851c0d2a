"""A run folder: one training's configuration, log, checkpoints, curves and model."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import keras

from kerasseq import config as configuration
from kerasseq.errors import UserError
from kerasseq.training.checkpoint import Checkpoints, write_whole, writing


class Run:
    """The folder of one training, held by one process at a time; a context manager.

        config.toml  log.jsonl  checkpoints/  curves.png  model.keras

    Args:
        folder: where; made if it is not there.
        config: the whole configuration, a frozen dataclass.
        resume: whether to go on with the run that is there.
        keep: how many checkpoints stay.

    Raises:
        UserError: the folder has a run and `resume` is false, or has none and `resume` is true,
            or its run has another configuration, or another process is at it.
    """

    def __init__(self, folder: str | Path, config: object, resume: bool = False, keep: int = 2):
        self.folder = Path(folder)
        self.resumed = resume
        written = self.folder / "config.toml"
        if resume and not written.exists():
            raise UserError(f"{self.folder}: there is no run to resume; leave out --resume")
        if not written.exists() and self.folder.exists() and not _only_ours(self.folder):
            raise UserError(f"{self.folder}: has other files in it; choose another --output")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.folder / ".lock")
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be used: {error.strerror}") from None
        try:
            if written.exists():
                self._compare(written, config)
            else:
                text = configuration.to_toml(config).encode()
                write_whole(written, lambda file: file.write(text))
            self.checkpoints = Checkpoints(self.folder / "checkpoints", keep)
        except BaseException:
            self.close()
            raise

    def _compare(self, written: Path, config: object) -> None:
        # A key that is younger than the run has its default there.
        old = configuration.as_dict(configuration.read(type(config), [written]))
        changed = configuration.differences(old, configuration.as_dict(config))
        if changed:
            raise UserError(
                f"{self.folder}: has a run with another configuration ({'; '.join(changed)}); "
                "choose another --output, or repeat the run's own settings"
            )
        if not self.resumed:
            raise UserError(
                f"{self.folder}: has a run already; go on with it by --resume, "
                "or choose another --output"
            )

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

    def __exit__(self, *_) -> None:
        self.close()


def _only_ours(folder: Path) -> bool:
    return all(path.name in (".lock", "config.toml.part") for path in folder.iterdir())


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
