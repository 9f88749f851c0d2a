"""Batches for self-critical training, whose targets the model itself writes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasseq.generation import Greedy, Sample, search
from kerasseq.models import Seq2Seq
from kerasseq.models.batching import Compiled
from kerasseq.preprocessing.padding import END, PAD, teacher_forcing

Reward = Callable[[Sequence[int], list[list[int]]], np.ndarray]
"""(n) which examples, and as many rows of ids with their end symbol, to (n,) rewards."""


class SelfCritical:
    """Makes of a batch one on which cross-entropy is the policy gradient of a reward.

        w ~ p,  w' = argmax p step by step
        weights of all tokens of w:  r(w) - r(w')

    so that what earns more than the model's own best text becomes more probable, and what earns
    less becomes less so. Rennie et al., 2017 (Self-critical Sequence Training for Image
    Captioning), equation 9. `losses.cross_entropy` divides by the sum of the weights' sizes.
    The gradient must be that of the very distribution that is drawn from: without dropout, and
    without the tokens that no text may have (`compile(on_policy=True)`). Most of what is drawn
    earns less than w', and from draws that are not its own a network would only be driven away,
    without end.

    Args:
        model: writes and is trained; its variables must be up to date at each call.
        reward: of a row of ids for an example.
        max_length: of what is written, in tokens.
        seed: of what is drawn, with the epoch and the batch.
    """

    def __init__(self, model: Seq2Seq, reward: Reward, max_length: int, seed: int = 0):
        self.reward, self.max_length, self.seed = reward, max_length, seed

        def write(features: dict, uniforms: Any) -> tuple[Any, Any]:
            memory = model.encode(features)
            drawn = search(model.decoder, memory, Sample(), max_length, uniforms=uniforms)
            best = search(model.decoder, memory, Greedy(), max_length)
            return drawn[0][:, 0], best[0][:, 0]

        self._write = Compiled(model.variables, write, jit=False)

    def __call__(
        self, features: dict, examples: Sequence[int], real: np.ndarray, key: tuple[int, int]
    ) -> tuple[dict, np.ndarray, np.ndarray]:
        """({features, "tokens"}, labels, weights) of what is drawn now.

        Args:
            features: "values" and "mask" of N sources.
            examples: which N examples they are, for the reward.
            real: (N,) bool, False for rows that only fill the batch.
            key: the epoch and the batch, from which the draw follows.
        """
        rng = np.random.default_rng((self.seed, *key))
        # Far enough below 1 that u * total < total holds in float32.
        uniforms = np.minimum(rng.random((len(real), self.max_length)), 1 - 2**-22)
        found = self._write(features, uniforms.astype("float32"))
        labels, best = (ops.convert_to_numpy(tokens) for tokens in found)
        gains = self.reward(examples, _rows(labels)) - self.reward(examples, _rows(best))
        tokens, weights = teacher_forcing(labels)
        weights = weights * np.where(real, gains, 0.0)[:, None]
        return {**features, "tokens": tokens}, labels, weights.astype("float32")


class SelfCriticalBatches(Sequence):
    """The batches of an epoch, of which each is made when it is asked for.

    Args:
        batches: (x, labels, weights) of an epoch, with `pictures(i)`, which examples are in one.
        epoch: the number of the epoch.
    """

    def __init__(self, batches: Any, critic: SelfCritical, epoch: int):
        self.batches, self.critic, self.number = batches, critic, epoch

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[dict, np.ndarray, np.ndarray]:
        x, _, weights = self.batches[index]
        features = {name: x[name] for name in ("values", "mask")}
        real = weights.any(axis=1)
        return self.critic(features, self.batches.pictures(index), real, (self.number, index))


def _rows(tokens: np.ndarray) -> list[list[int]]:
    """Each row up to its end symbol, which is part of it."""
    rows = []
    for row in tokens.tolist():
        length = row.index(END) + 1 if END in row else len(row)
        rows.append([token for token in row[:length] if token != PAD])
    return rows
