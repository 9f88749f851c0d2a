"""Training, evaluation and prediction with raw sources and texts."""

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasseq.errors import UserError
from kerasseq.models.inputs import as_list

_RAW = (str, os.PathLike, list, tuple, np.ndarray)


class RawTraining:
    """A model's part in `fit`, `evaluate` and `predict` with raw sources and texts.

    The methods of Keras take prepared batches: a dict of arrays, a `keras.utils.PyDataset` and so
    on. They also take lists of raw sources, which the model's preprocessor prepares. All of them
    are prepared at once and stay in memory: use `kerasseq.data` for larger data.
    """

    def prepare(
        self, sources: Any, targets: Any = None, sample_weight: Any = None
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Prepares raw examples for `fit`.

        Args:
            sources: a list of N raw sources, or without `targets` of N pairs (source, text).
            targets: a list of N texts.
            sample_weight: (N,), a weight for each example.

        Returns:
            The inputs {"values", "mask", "tokens"}, the labels (N, T) and their weights (N, T).

        Raises:
            UserError: the model has no preprocessor, there is not one text for each source, or a
                source cannot be read.
        """
        preprocessor = self.require_preprocessor()
        if targets is None:
            sources, targets = _split_pairs(as_list(sources, "pairs"))
        sources, targets = as_list(sources), as_list(targets, "texts")
        if len(sources) != len(targets) or not len(sources):
            raise UserError(
                f"There are {len(targets)} texts for {len(sources)} sources: give one text for "
                "each source."
            )
        tokens, labels, weights = preprocessor.targets(targets)
        if sample_weight is not None:
            weights = weights * np.reshape(np.asarray(sample_weight, "float32"), (-1, 1))
        return {**preprocessor.features(sources), "tokens": tokens}, labels, weights

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Trains as `keras.Model.fit` does, also on raw sources and texts.

        `fit(sources, texts)` and `fit([(source, text), ...])` train on raw examples, and so may
        `validation_data` be `(sources, texts)` or a list of pairs. All other arguments are those
        of Keras.
        """
        given = self._prepare_arguments(super().fit, args, kwargs)
        held_out = given.get("validation_data")
        if isinstance(held_out, list):
            given["validation_data"] = self.prepare(held_out)
        elif isinstance(held_out, tuple) and held_out and isinstance(held_out[0], _RAW):
            given["validation_data"] = self.prepare(*held_out)
        return super().fit(**given)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluates the loss as `keras.Model.evaluate` does, also on raw sources and texts."""
        return super().evaluate(**self._prepare_arguments(super().evaluate, args, kwargs))

    def predict(self, x: Any, batch_size: int | None = None, *args: Any, **kwargs: Any) -> Any:
        """Returns the model's outputs as `keras.Model.predict` does, or texts of raw sources.

        For a list of raw sources, these are the texts that `generate` makes; `verbose` has no
        effect then.

        Raises:
            UserError: another argument of Keras is given with raw sources.
        """
        if not isinstance(x, _RAW):
            return super().predict(x, batch_size, *args, **kwargs)
        given = inspect.signature(super().predict).bind(x, batch_size, *args, **kwargs).arguments
        odd = [name for name in given if name not in ("x", "batch_size", "verbose")]
        if odd:
            raise UserError(
                f"predict: {odd[0]} has no effect on raw sources; leave it out, or call generate "
                "with options of decoding."
            )
        return self.generate(x, **({} if batch_size is None else {"batch_size": batch_size}))

    def _prepare_arguments(self, method: Callable, args: tuple, kwargs: dict) -> dict[str, Any]:
        """Returns the arguments of a method of Keras by name, raw examples prepared."""
        given = inspect.signature(method).bind(*args, **kwargs).arguments
        given.update(given.pop("kwargs", {}))
        if isinstance(given.get("x"), _RAW):
            raw = (given.get(name) for name in ("x", "y", "sample_weight"))
            given["x"], given["y"], given["sample_weight"] = self.prepare(*raw)
        return given


def _split_pairs(pairs: Sequence[Any]) -> tuple[list, list]:
    """Returns the sources and the texts of pairs.

    Raises:
        UserError: an item is no pair.
    """
    for index, pair in enumerate(pairs):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise UserError(
                f"Example {index} must be a pair (source, text), not {pair!r:.60}: give the texts "
                "as a second list, or with each source."
            )
    return [source for source, _ in pairs], [text for _, text in pairs]
