"""The batches of a plan, as Keras reads them: what sound, pictures and texts share."""

from typing import Any

import keras
import numpy as np

from kerasseq.data.plan import BatchPlan


class PlannedBatches(keras.utils.PyDataset):
    """The batches of an epoch of a plan: the base of all batches.

    A subclass implements `__getitem__`, so that batch i depends on the plan, the epoch, i and the
    options alone.

    Args:
        store: the examples.
        plan: the plan, which was made of the store's lengths.
        epoch: the first epoch; `on_epoch_end` goes on to the next one.
    """

    def __init__(self, store: Any, plan: BatchPlan, epoch: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.store, self.plan = store, plan
        self.epoch = plan.epoch(epoch)

    def on_epoch_end(self) -> None:
        """Goes on to the next epoch."""
        self.epoch = self.plan.epoch(self.epoch.number + 1)

    def __len__(self) -> int:
        return len(self.epoch)

    def generator(self, example: int) -> np.random.Generator:
        """Returns the random numbers of an example, the same in any batch of this epoch."""
        return np.random.default_rng((self.plan.seed, self.epoch.number, example))

    def targets(self, labels: np.ndarray, real: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns tokens, labels and weights; rows that only fill the shape have weights of 0.

        Args:
            labels: (N, T) padded labels.
            real: the number of rows that are not there to fill the shape.
        """
        tokens, labels, weights = self.store.preprocessor.inputs(labels)
        weights[real:] = 0
        return tokens, labels, weights
