"""The batches of pairs of texts, as Keras reads them."""

import numpy as np

from kerasseq.data.batches import PlannedBatches
from kerasseq.data.plan import BatchPlan
from kerasseq.data.text.store import TokenStore
from kerasseq.preprocessing.padding import teacher_forcing
from kerasseq.special_ids import PAD


class TokenBatches(PlannedBatches):
    """({"values", "mask", "tokens"}, labels, weights) of each batch of an epoch of pairs.

    - "values": (N, S) int32
    - "mask": (N, S) bool, True = real
    - "tokens", labels: (N, T) int32
    - weights: (N, T) float32, 0 for rows that only fill the shape

    Batch i depends on the plan, the epoch, i and `sampling` alone.

    Args:
        store: the pairs.
        plan: the plan that was made of the store's lengths with the same `sampling`.
        sampling: draws new segmentations in every epoch; see `Tokenizer.encode`.
        epoch: the first epoch; `on_epoch_end` goes on to the next one.

    Example:

    >>> from kerasseq.data import BatchPlan, ListCorpus, TokenBatches, TokenStore
    >>> from kerasseq.preprocessing import TextPreprocessor
    >>> corpus = ListCorpus([("one", "eins"), ("two", "zwei"), ("six", "sechs")])
    >>> preprocessor = TextPreprocessor.learn(corpus, "char", 30)
    >>> store = TokenStore.build("store", corpus, preprocessor)
    >>> plan = BatchPlan(store.lengths("source"), store.lengths("target"))
    >>> inputs, labels, weights = TokenBatches(store, plan)[0]
    >>> inputs["values"].shape, labels.shape, weights.sum(axis=1).tolist()
    ((3, 8), (3, 8), [7.0, 6.0, 6.0])
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
        super().__init__(store, plan, epoch, **kwargs)
        self.sampling = sampling

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
