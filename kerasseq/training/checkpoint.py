"""Checkpoints: the whole state of a training in one file."""

import re
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from kerasseq import backend
from kerasseq.errors import UserError
from kerasseq.training.files import check_exists, explain_write_errors, load_arrays, save_arrays
from kerasseq.training.optimizer import get_state_variables


class Checkpoints:
    """The checkpoints of one run, and the weights that its validations save, in one folder.

    `step-00000500.npz` holds everything that later steps depend on: the weights, the seeds of the
    model's dropout, the optimizer with its averages, accumulators and loss scale, the random state
    of the backend, and the position. `weights-00000500.npz` (for averages) and
    `best-00000500.npz` hold only weights.

    Args:
        folder: the folder of the files; it is created if necessary.
        keep: the number of `step` files to keep.
    """

    def __init__(self, folder: Path, keep: int = 2):
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, model: keras.Model, position: Mapping, needed: Mapping) -> Path:
        """Writes the state at `position["step"]`, then deletes files that are not needed anymore.

        Args:
            model: the model, with up-to-date variables.
            position: the rest of the state, which JSON can hold.
            needed: for each kind of weights, the steps of the files to keep.

        Raises:
            UserError: as `save_arrays`, or a weight is not finite; earlier checkpoints remain.
        """
        arrays = _to_arrays("model", model.variables)
        if not all(np.isfinite(a).all() for a in arrays.values() if a.dtype.kind == "f"):
            raise UserError(
                f"a weight is not finite at step {position['step']}; the weights before are in "
                f"{self.newest}. Train in a new folder with a lower training.learning_rate"
            )
        arrays |= _to_arrays("optimizer", get_state_variables(model.optimizer))
        arrays |= {f"random.{k}": v for k, v in backend.get_random_state().items()}
        path = self._path("step", position["step"])
        facts = {"backend": backend.name(), "position": position, "needed": needed}
        save_arrays(path, arrays, facts)
        with explain_write_errors(path):
            self._delete("step", set(sorted(self._list_steps("step"))[-self.keep :]))
            for kind, steps in needed.items():
                self._delete(kind, set(steps))
        return path

    def restore(self, model: keras.Model) -> dict | None:
        """Loads the newest checkpoint into the model and its optimizer.

        Returns:
            The checkpoint's position, or None if there is no checkpoint.

        Raises:
            UserError: the checkpoint is damaged, or belongs to another model or another backend,
                or weights that it needs are missing.
        """
        steps = self._list_steps("step")
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
                check_exists(self._path(kind, step))
        _assign(path, arrays, "model", model.variables)
        _assign(path, arrays, "optimizer", get_state_variables(model.optimizer))
        random = {k.partition(".")[2]: v for k, v in arrays.items() if k.startswith("random.")}
        backend.set_random_state(random)
        return facts["position"]

    def save_weights(self, kind: str, model: keras.Model, step: int) -> None:
        """Writes the model's weights as the `kind` ("weights" or "best") of `step`."""
        save_arrays(self._path(kind, step), _to_arrays("model", model.weights), {})

    def load_weights(self, kind: str, step: int) -> list[np.ndarray]:
        """Returns the arrays that `save_weights` wrote, in the order of `model.weights`."""
        arrays, _ = load_arrays(self._path(kind, step))
        return [arrays[f"model.{i}"] for i in range(len(arrays))]

    @property
    def newest(self) -> Path | None:
        """The path of the newest checkpoint, or None."""
        steps = self._list_steps("step")
        return self._path("step", max(steps)) if steps else None

    def _path(self, kind: str, step: int) -> Path:
        return self.folder / f"{kind}-{step:08d}.npz"

    def _list_steps(self, kind: str) -> list[int]:
        names = (re.fullmatch(rf"{kind}-(\d+)\.npz", p.name) for p in self.folder.iterdir())
        return [int(name.group(1)) for name in names if name]

    def _delete(self, kind: str, keep: set[int]) -> None:
        for step in self._list_steps(kind):
            if step not in keep:
                self._path(kind, step).unlink(missing_ok=True)


def _to_arrays(kind: str, variables) -> dict[str, np.ndarray]:
    # Numbers, because the names that Keras gives depend on all layers made before in the process.
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
