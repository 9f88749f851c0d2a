"""Which examples form which batch, as a function of (seed, epoch)."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kerasseq.data.shapes import choose_shapes, row_limit

_BLOCK = 1 << 20


class Shape(NamedTuple):
    """One shape of batch: N rows, S source steps, T target steps."""

    rows: int
    source: int
    target: int


class Batch(NamedTuple):
    """The examples of one batch.

    Attributes:
        indices: (N,) int64. Rows after the first `real` only fill the shape and weigh nothing.
        real: how many rows count.
        shape: what the batch is padded to.
    """

    indices: np.ndarray
    real: int
    shape: Shape


class BatchPlan:
    """Batches of like lengths under a token budget, in few shapes.

    At most `shapes` pairs of lengths (S, T) are chosen so that the batches have least padding. A
    batch of shape (S, T) has at most `tokens / max(S, T)` rows, and the examples of a shape are
    spread evenly over its batches, so that no batch is small. In every epoch each example comes
    exactly once.

    It takes 9 bytes an example, and an epoch 4 more.

    Args:
        source_lengths: (N,) steps of each source.
        target_lengths: (N,) steps of each target.
        seed: of the shuffles.
        tokens: steps of a batch's longer side, padding included, at most.
        rows: examples in a batch at most.
        shapes: distinct shapes at most; each is compiled once.
    """

    def __init__(
        self,
        source_lengths: np.ndarray,
        target_lengths: np.ndarray,
        *,
        seed: int = 0,
        tokens: int = 4096,
        rows: int = 1024,
        shapes: int = 8,
    ):
        self.seed, self.host = seed, 0
        self.shapes, self._slices, self._order = _layout(
            source_lengths, target_lengths, tokens, rows, shapes
        )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._slices)

    def epoch(self, number: int) -> "Epoch":
        """The batches of epoch `number`, from 0."""
        return Epoch(self, number)

    def shard(self, host: int, hosts: int) -> "BatchPlan":
        """Host `host`'s rows of every batch; all hosts get the same shapes in the same order."""
        part = copy.copy(self)
        part.host = host
        part.shapes = [shape._replace(rows=-(-shape.rows // hosts)) for shape in self.shapes]
        return part


class Epoch(Sequence):
    """The batches of one epoch, in order; `epoch[i]` depends on (plan, number, i) alone."""

    def __init__(self, plan: BatchPlan, number: int):
        self.plan, self.number = plan, number
        rng = np.random.default_rng((plan.seed, number))
        self._order = plan._order.copy()
        for start, end in _runs(plan._slices):
            rng.shuffle(self._order[start:end])
        self._batches = rng.permutation(len(plan))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        start, end, number = self.plan._slices[self._batches[index]]
        shape = self.plan.shapes[number]
        chosen = self._order[start:end].astype(np.int64)
        mine = chosen[self.plan.host * shape.rows :][: shape.rows]
        # A row must be some example's: a row that is padding throughout has no softmax.
        filler = np.full(shape.rows - len(mine), chosen[0])
        return Batch(np.concatenate([mine, filler]), len(mine), shape)


def _layout(source_lengths, target_lengths, tokens, rows, most):
    """Shapes; (start, end, shape) of every batch; the examples that starts and ends count."""
    (sources, source), (targets, target) = map(_rounded_up, (source_lengths, target_lengths))
    kinds = source.astype(np.uint16) * len(targets) + target
    counts = _count(kinds, len(sources) * len(targets))
    used = np.flatnonzero(counts)
    sizes = np.stack([sources[used // len(targets)], targets[used % len(targets)]])
    steps, owner = choose_shapes(sizes, counts[used], tokens, rows, most)

    shapes, slices, start = [], [], 0
    for number, limit in enumerate(row_limit(steps, tokens, rows)):
        count = int(counts[used[owner == number]].sum())
        batches = -(-count // int(limit))
        bounds = start + np.arange(batches + 1) * count // batches
        start += count
        fullest = int(np.diff(bounds).max())
        height = -(-fullest // 8) * 8 if fullest > 8 else fullest
        shapes.append(Shape(height, *map(int, steps[:, number])))
        slices.append(np.stack([bounds[:-1], bounds[1:], np.full(batches, number)], axis=1))
    number_of = np.zeros(len(counts), np.uint8)
    number_of[used] = owner
    numbers = number_of[kinds]
    order, slices = np.empty(len(numbers), np.uint32), np.concatenate(slices)
    for number, (first, end) in enumerate(_runs(slices)):
        order[first:end] = np.flatnonzero(numbers == number)
    return shapes, slices, order


def _rounded_up(lengths):
    """The lengths in use, rounded up, and which of them each row has."""
    used = np.flatnonzero(_count(lengths, int(lengths.max()) + 1))
    steps = np.unique([_fine_length(int(length)) for length in used])
    place = np.searchsorted(steps, np.arange(used[-1] + 1)).astype(np.uint8)
    return steps, place[lengths]


def _count(values, size):
    """How often each of 0 to `size` - 1 occurs, without a wider copy of all values."""
    counts = np.zeros(size, np.int64)
    for start in range(0, len(values), _BLOCK):
        counts += np.bincount(values[start : start + _BLOCK], minlength=size)
    return counts


def _fine_length(length):
    """Up to a multiple of 4; from 64 on of a sixteenth of the next power of two."""
    step = max(4, 1 << (length - 1).bit_length() >> 4)
    return -(-length // step) * step


def _runs(slices):
    """(start, end) of each shape's examples."""
    for number in range(slices[-1, 2] + 1):
        same = slices[slices[:, 2] == number]
        yield same[0, 0], same[-1, 1]
