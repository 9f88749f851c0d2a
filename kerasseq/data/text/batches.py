"""The batches of a plan as Keras reads them."""

import keras
import numpy as np

from kerasseq.data.plan import BatchPlan
from kerasseq.data.text.store import TokenStore
from kerasseq.preprocessing.padding import teacher_forcing
from kerasseq.special_ids import PAD


class TokenBatches(keras.utils.PyDataset):
    """({"values", "mask", "tokens"}, labels, weights) of each batch of an epoch.

    "values" (N, S) int32, "mask" (N, S) bool, "tokens" and labels (N, T) int32, weights (N, T)
    float32. Batch i depends on the plan, the epoch, i and `sampling` alone.

    Args:
        store: the pairs.
        plan: made from the store's lengths, with the same `sampling`.
        sampling: draw segmentations anew in every epoch; see `Tokenizer.encode`.
        epoch: to begin with; `on_epoch_end` goes on to the next.
    """

    def __init__(
        self,
        store: TokenStore,
        plan: BatchPlan,
        *,
        sampling: float | None = None,
        epoch: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.store, self.plan, self.sampling = store, plan, sampling
        self.start(epoch)

    def start(self, epoch: int) -> None:
        """Go to the beginning of an epoch."""
        self.epoch = self.plan.epoch(epoch)

    def on_epoch_end(self) -> None:
        self.start(self.epoch.number + 1)

    def __len__(self) -> int:
        return len(self.epoch)

    def __getitem__(self, index: int):
        indices, real, shape = self.epoch[index]
        source_seed, target_seed = np.random.SeedSequence(
            (self.plan.seed, self.epoch.number, index, self.plan.host)
        ).generate_state(2)
        values = self.store.rows("source", indices, shape.source, self.sampling, int(source_seed))
        labels = self.store.rows("target", indices, shape.target, self.sampling, int(target_seed))
        tokens, weights = teacher_forcing(labels)
        weights[real:] = 0
        return {"values": values, "mask": values != PAD, "tokens": tokens}, labels, weights
