"""Batches for self-critical training, whose targets the model itself writes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasseq.generation import Sample, search
from kerasseq.masking import repeated
from kerasseq.models import Seq2Seq
from kerasseq.models.functions import Functions
from kerasseq.preprocessing.padding import END, PAD, teacher_forcing

Reward = Callable[[Sequence[int], list[list[int]]], np.ndarray]
"""(n) which examples, and as many rows of ids with their end symbol, to (n,) rewards."""


class SelfCritical:
    """Makes of a batch one on which cross-entropy is the policy gradient of a reward.

        w_1 .. w_K ~ p
        weights of all tokens of w_k:  r(w_k) - 1 / (K - 1) sum_{j != k} r(w_j)

    so that what earns more than the other draws becomes more probable, and what earns less
    becomes less so. Self-critical sequence training (Rennie et al., 2017, Self-Critical Sequence
    Training for Image Captioning) with the mean of the other draws as its baseline, as in Luo, 2020
    (A Better Variant of Self-Critical Sequence Training, section 3): unbiased, and nearer to each
    draw than the greedy text, which nearly all draws are worse than. `losses.cross_entropy` divides
    by the sum of the weights' sizes. The gradient must be that of the very distribution that is
    drawn from: without dropout, and without the tokens that no text may have
    (`compile(on_policy=True)`).

    Args:
        model: writes and is trained; its variables must be up to date at each call.
        reward: of a row of ids for an example.
        max_length: of what is written, in tokens.
        draws: K, at least 2.
        seed: of what is drawn, with the epoch and the batch.
    """

    def __init__(
        self, model: Seq2Seq, reward: Reward, max_length: int, draws: int = 5, seed: int = 0
    ):
        self.reward, self.max_length, self.draws, self.seed = reward, max_length, draws, seed

        def write(features: dict, uniforms: Any) -> Any:
            memory = repeated(model.encode(features), draws)
            return search(model.decoder, memory, Sample(), max_length, uniforms=uniforms)[0][:, 0]

        self._write, self._functions = write, Functions(model.variables)

    def __call__(
        self, features: dict, examples: Sequence[int], real: np.ndarray, key: tuple[int, int]
    ) -> tuple[dict, np.ndarray, np.ndarray]:
        """({features, "tokens" (N, K, T)}, labels, weights, both (N * K, T)) of what is drawn now.

        Args:
            features: "values" and "mask" of N sources.
            examples: which N examples they are, for the reward.
            real: (N,) bool, False for rows that only fill the batch.
            key: the epoch and the batch, from which the draw follows.
        """
        rng = np.random.default_rng((self.seed, *key))
        # Far enough below 1 that u * total < total holds in float32.
        shape = len(real) * self.draws, self.max_length
        uniforms = np.minimum(rng.random(shape), 1 - 2**-22).astype("float32")
        labels = ops.convert_to_numpy(
            self._functions("write", self._write, features, uniforms, jit=False)
        )
        rewards = self.reward(np.repeat(examples, self.draws), _rows(labels))
        rewards = rewards.reshape(-1, self.draws)
        gains = (rewards - rewards.mean(axis=1, keepdims=True)) * self.draws / (self.draws - 1)
        gains = np.where(real[:, None], gains, 0.0)
        tokens, weights = teacher_forcing(labels)
        weights = weights * gains.reshape(-1, 1)
        tokens = tokens.reshape(len(real), self.draws, -1)
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
