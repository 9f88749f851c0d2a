"""Captions of pictures that are in a store, as features or as pixels."""

from collections.abc import Sequence

import numpy as np

from kerasseq.data.pictures.store import PictureStore
from kerasseq.models import Seq2Seq


class Stored:
    """A preprocessor whose raw inputs are places in a store."""

    def __init__(self, store: PictureStore):
        self.store = store
        self._writer = store.preprocessor

    def features(self, places: Sequence[int]) -> dict[str, np.ndarray]:
        """The features of some pictures; see `PictureStore.features`."""
        return self.store.features(np.asarray(places))

    def padded_length(self, steps: int, side: str = "source") -> int:
        """Steps of a source as they are: in a store nearly all have as many."""
        return steps if side == "source" else self._writer.padded_length(steps, side)

    def detokenize(self, ids: np.ndarray) -> list[str]:
        """The text of each row of ids."""
        return self._writer.detokenize(ids)


def reading(model: Seq2Seq, store: PictureStore) -> Seq2Seq:
    """The model itself, but `generate` takes places in the store."""
    other = Seq2Seq(None, model.encoder, model.decoder, card=model.card)
    other.preprocessor = Stored(store)
    return other
