"""Batches for self-critical training: the model itself samples the targets."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasseq.generation import Sample, search
from kerasseq.masking import repeat_memory
from kerasseq.models import Seq2Seq
from kerasseq.models.functions import Functions
from kerasseq.preprocessing.padding import teacher_forcing
from kerasseq.special_ids import END, PAD

Reward = Callable[[Sequence[int], list[list[int]]], np.ndarray]
"""Maps n indices of examples and n rows of ids, with their end symbol, to rewards (n,)."""


class SelfCritical:
    """Samples targets for a batch, so that cross-entropy is the policy gradient of a reward.

        w_1 .. w_K ~ p
        weights of all tokens of w_k:  r(w_k) - 1 / (K - 1) sum_{j != k} r(w_j)

    A sample with a higher reward than the other samples becomes more probable; one with a lower
    reward becomes less probable. This is self-critical sequence training (Rennie et al., 2017,
    Self-Critical Sequence Training for Image Captioning) with the mean of the other samples as its
    baseline (Luo, 2020, A Better Variant of Self-Critical Sequence Training, section 3). That
    baseline is unbiased and closer to each sample than the greedy text, which is better than
    nearly all samples. `losses.cross_entropy` divides by the sum of the weights' absolute values.
    The gradient must belong to the distribution that the samples come from: without dropout, and
    without the tokens that no text may contain (`compile(on_policy=True)`).

    Args:
        model: samples the texts and is trained; its variables must be up to date at each call.
        reward: the reward of rows of ids for examples.
        max_length: the largest length of a sample, in tokens.
        draws: K, at least 2.
        seed: the seed of the samples, together with the epoch and the batch.

    Attributes:
        mean_reward: the mean reward of the samples of the last batch.
    """

    def __init__(
        self, model: Seq2Seq, reward: Reward, max_length: int, draws: int = 5, seed: int = 0
    ):
        self.reward, self.max_length, self.draws, self.seed = reward, max_length, draws, seed
        self.mean_reward = 0.0

        def sample(features: dict, uniforms: Any) -> Any:
            memory = repeat_memory(model.encode(features), draws)
            return search(model.decoder, memory, Sample(), max_length, uniforms=uniforms)[0][:, 0]

        self._sample, self._functions = sample, Functions(model.variables)

    def __call__(
        self, features: dict, examples: Sequence[int], real: np.ndarray, key: tuple[int, int]
    ) -> tuple[dict, np.ndarray, np.ndarray]:
        """Returns ({features, "tokens" (N, K, T)}, labels, weights), the last two (N * K, T).

        Args:
            features: "values" and "mask" of N sources.
            examples: the indices of the N examples, for the reward.
            real: (N,) bool, False for rows that only fill the batch.
            key: the epoch and the batch, which determine the samples.
        """
        rng = np.random.default_rng((self.seed, *key))
        # Stay far enough below 1 that u * total < total holds in float32.
        shape = len(real) * self.draws, self.max_length
        uniforms = np.minimum(rng.random(shape), 1 - 2**-22).astype("float32")
        labels = ops.convert_to_numpy(
            self._functions("sample", self._sample, features, uniforms, jit=False)
        )
        rewards = self.reward(np.repeat(examples, self.draws), _split_rows(labels))
        rewards = rewards.reshape(-1, self.draws)
        self.mean_reward = float(rewards[real].mean()) if real.any() else 0.0
        advantages = (rewards - rewards.mean(axis=1, keepdims=True)) * self.draws / (self.draws - 1)
        advantages = np.where(real[:, None], advantages, 0.0)
        tokens, weights = teacher_forcing(labels)
        weights = weights * advantages.reshape(-1, 1)
        tokens = tokens.reshape(len(real), self.draws, -1)
        return {**features, "tokens": tokens}, labels, weights.astype("float32")


class SelfCriticalBatches(Sequence):
    """The batches of an epoch; each one is sampled when it is requested.

    Args:
        batches: the (x, labels, weights) of an epoch; `batches.pictures(i)` returns the indices
            of the examples in batch i.
        critic: samples the targets.
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


def _split_rows(tokens: np.ndarray) -> list[list[int]]:
    """Returns each row up to and including its end symbol."""
    rows = []
    for row in tokens.tolist():
        length = row.index(END) + 1 if END in row else len(row)
        rows.append([token for token in row[:length] if token != PAD])
    return rows
