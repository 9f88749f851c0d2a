"""Checkpoints: the whole state of a training as one file, written so that no crash can spoil it."""

import contextlib
import errno
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import keras
import ml_dtypes
import numpy as np

from kerasseq import backend
from kerasseq.errors import UserError
from kerasseq.training.optimizer import state_variables


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping) -> None:
    """Write named arrays and facts that JSON can hold; the file is whole or not there.

    Raises:
        UserError: the disk is full or cannot be written to; what stood at `path` still does.
    """
    stored = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}
    for name, array in arrays.items():
        # NumPy's format does not know bfloat16: its bits and, in the name, its type.
        half = array.dtype == ml_dtypes.bfloat16
        stored[f"{name}:bfloat16" if half else name] = array.view(np.uint16) if half else array
    write_whole(path, lambda file: np.savez(file, **stored))


def load_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """What `save_arrays` wrote: the arrays and the facts.

    Raises:
        UserError: the file is gone, cannot be read or is damaged.
    """
    _require(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            stored = {name: archive[name] for name in archive.files}
        facts = json.loads(stored.pop("facts").tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: cannot be read as a checkpoint ({error}); delete it, and --resume goes on "
            "from the one before, if there is one"
        ) from None
    arrays = {}
    for name, array in stored.items():
        name, _, half = name.partition(":")
        arrays[name] = array.view(ml_dtypes.bfloat16) if half else array
    return arrays, facts


def _require(path: Path) -> None:
    if not path.exists():
        raise UserError(
            f"{path}: is gone; it was deleted or moved, and the run cannot go on without it: "
            "put it back, or train in a new folder"
        )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a failure to write `path` into a `UserError` that says what to do."""
    try:
        yield
    except OSError as error:
        if not path.parent.is_dir():
            advice = "its folder is gone: it was deleted or moved while this ran"
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "the disk is full: make room"
        else:
            advice = str(error.strerror or error)
        raise UserError(f"{path}: cannot be written: {advice}{_what_is_left(path)}") from error


def _what_is_left(path: Path) -> str:
    """How to go on with the run that `path` belongs to, if there is a checkpoint."""
    for folder in (path.parent, path.parent / "checkpoints"):
        if any(folder.glob("step-*.npz")):
            return "; the last checkpoint is intact: go on from it with --resume"
    return ""


def write_whole(path: Path, write: Callable) -> None:
    """Call `write(binary file)` so that `path` holds either all of it or what it held before.

    Raises:
        UserError: the disk is full or cannot be written to.
    """
    part = path.with_name(path.name + ".part")
    with writing(path):
        try:
            with open(part, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
            _sync_folder(path.parent)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    # Without this a power cut may undo the renaming. Windows cannot open a folder.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Checkpoints:
    """The checkpoints of one run and the weights that its validations left, in one folder.

    `step-00000500.npz` holds all that the steps to come depend on: the weights, the seeds of the
    model's dropout, the optimizer with its averages, accumulators and loss scale, the backend's
    own random state, and the position. `weights-00000500.npz`, for averages, and
    `best-00000500.npz` hold weights alone.

    Args:
        folder: where they are; it is made.
        keep: how many `step` files stay.
    """

    def __init__(self, folder: Path, keep: int = 2):
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, model: keras.Model, position: Mapping, needed: Mapping) -> Path:
        """Write the state at `position["step"]`, then delete what is no longer wanted.

        Args:
            model: with its variables up to date.
            position: all else that the run goes on from, as JSON can hold it.
            needed: of each kind of weights, the steps whose files must stay.

        Raises:
            UserError: as `save_arrays`; earlier checkpoints are intact then.
        """
        arrays = _numbered("model", model.variables)
        if not all(np.isfinite(a).all() for a in arrays.values() if a.dtype.kind == "f"):
            raise UserError(
                f"a weight is not finite at step {position['step']}; the weights before are in "
                f"{self.newest()}. Train in a new folder with a lower training.learning_rate"
            )
        arrays |= _numbered("optimizer", state_variables(model.optimizer))
        arrays |= {f"random.{k}": v for k, v in backend.random_state().items()}
        path = self._path("step", position["step"])
        facts = {"backend": backend.name(), "position": position, "needed": needed}
        save_arrays(path, arrays, facts)
        with writing(path):
            self._delete("step", set(sorted(self._steps("step"))[-self.keep :]))
            for kind, steps in needed.items():
                self._delete(kind, set(steps))
        return path

    def restore(self, model: keras.Model) -> dict | None:
        """Put model and optimizer in the state of the newest checkpoint and give its position.

        Returns:
            The position, or None where there is no checkpoint.

        Raises:
            UserError: the checkpoint is damaged, of another model or of another backend, or
                weights are gone that it needs.
        """
        steps = self._steps("step")
        if not steps:
            return None
        path = self._path("step", max(steps))
        arrays, facts = load_arrays(path)
        if facts["backend"] != backend.name():
            raise UserError(
                f"{path}: was written on the backend {facts['backend']}; "
                f"set KERAS_BACKEND={facts['backend']} to go on with it"
            )
        for kind, steps in facts.get("needed", {}).items():
            for step in steps:
                _require(self._path(kind, step))
        _assign(path, arrays, "model", model.variables)
        _assign(path, arrays, "optimizer", state_variables(model.optimizer))
        random = {k.partition(".")[2]: v for k, v in arrays.items() if k.startswith("random.")}
        backend.set_random_state(random)
        return facts["position"]

    def save_weights(self, kind: str, model: keras.Model, step: int) -> None:
        """Write the model's weights as the `kind` ("weights" or "best") of `step`."""
        save_arrays(self._path(kind, step), _numbered("model", model.weights), {})

    def weights(self, kind: str, step: int) -> list[np.ndarray]:
        """What `save_weights` wrote, in the order of `model.weights`."""
        arrays, _ = load_arrays(self._path(kind, step))
        return [arrays[f"model.{i}"] for i in range(len(arrays))]

    def newest(self) -> Path | None:
        """The newest checkpoint."""
        steps = self._steps("step")
        return self._path("step", max(steps)) if steps else None

    def _path(self, kind: str, step: int) -> Path:
        return self.folder / f"{kind}-{step:08d}.npz"

    def _steps(self, kind: str) -> list[int]:
        names = (re.fullmatch(rf"{kind}-(\d+)\.npz", p.name) for p in self.folder.iterdir())
        return [int(name.group(1)) for name in names if name]

    def _delete(self, kind: str, keep: set[int]) -> None:
        for step in self._steps(kind):
            if step not in keep:
                self._path(kind, step).unlink(missing_ok=True)


def _numbered(kind: str, variables) -> dict[str, np.ndarray]:
    # Numbers, since Keras's names count up with every layer that a process has made.
    return {
        f"{kind}.{i}": np.asarray(keras.ops.convert_to_numpy(v)) for i, v in enumerate(variables)
    }


def _assign(path: Path, arrays: Mapping[str, np.ndarray], kind: str, variables) -> None:
    count = sum(name.startswith(f"{kind}.") for name in arrays)
    if count != len(variables):
        raise UserError(
            f"{path}: has {count} {kind} variables, but this {kind} has {len(variables)}: "
            "it was written by another one"
        )
    for i, variable in enumerate(variables):
        array = arrays[f"{kind}.{i}"]
        if tuple(array.shape) != tuple(variable.shape):
            raise UserError(
                f"{path}: {variable.path} has shape {tuple(variable.shape)} here and "
                f"{tuple(array.shape)} there: it was written by another {kind}"
            )
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"{kind}.{i}"])
