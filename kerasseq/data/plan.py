"""Plans: the examples of each batch, as a function of (seed, epoch)."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kerasseq.data.shapes import choose_shapes, row_limit

_BLOCK = 1 << 20


class Shape(NamedTuple):
    """The shape of a batch: N rows, S source steps, T target steps."""

    rows: int
    source: int
    target: int


class Batch(NamedTuple):
    """The examples of one batch.

    Attributes:
        indices: (N,) int64. Rows after the first `real` rows only fill the shape.
        real: the number of rows that count.
        shape: the shape that the batch is padded to.
    """

    indices: np.ndarray
    real: int
    shape: Shape


class BatchPlan:
    """Batches of similar lengths under a token budget, in few shapes.

    The plan chooses at most `shapes` pairs of lengths (S, T), so that the batches have the least
    padding. A batch of shape (S, T) has at most `tokens / max(S, T)` rows. The examples of a shape
    are spread evenly over its batches, so that no batch is small. Each example comes exactly once
    in every epoch.

    A plan takes 9 bytes of memory for each example, and an epoch takes 4 bytes more.

    Args:
        source_lengths: (N,) the steps of each source.
        target_lengths: (N,) the steps of each target.
        seed: of the shuffles.
        tokens: the most steps of a batch's longer side, padding included.
        rows: the most examples in a batch.
        shapes: the most distinct shapes; a model compiles once for each of them.

    Example:

    >>> import numpy as np
    >>> from kerasseq.data import BatchPlan
    >>> lengths = np.array([3, 4, 4, 3, 9, 10])
    >>> plan = BatchPlan(lengths, lengths, tokens=16, shapes=2)
    >>> plan.shapes
    [Shape(rows=4, source=4, target=4), Shape(rows=1, source=12, target=12)]
    >>> epoch = plan.epoch(0)
    >>> len(epoch), sorted(int(i) for batch in epoch for i in batch.indices[: batch.real])
    (3, [0, 1, 2, 3, 4, 5])
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
        """The number of batches in an epoch."""
        return len(self._slices)

    def epoch(self, number: int) -> "Epoch":
        """Returns the batches of epoch `number`, from 0."""
        return Epoch(self, number)

    def shard(self, host: int, hosts: int) -> "BatchPlan":
        """Returns a plan with the rows of one host; all hosts have the same order of shapes.

        Args:
            host: the index of the host, from 0.
            hosts: the number of hosts.
        """
        part = copy.copy(self)
        part.host = host
        part.shapes = [shape._replace(rows=-(-shape.rows // hosts)) for shape in self.shapes]
        return part


class Epoch(Sequence):
    """The batches of an epoch, in order; `epoch[i]` depends on (plan, number, i) alone."""

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


def _layout(source_lengths, target_lengths, tokens, rows, max_shapes):
    """Returns the shapes, (start, end, shape) of every batch, and the order that both refer to."""
    (sources, source), (targets, target) = map(_round_up, (source_lengths, target_lengths))
    kinds = source.astype(np.uint16) * len(targets) + target
    counts = _count(kinds, len(sources) * len(targets))
    used = np.flatnonzero(counts)
    sizes = np.stack([sources[used // len(targets)], targets[used % len(targets)]])
    steps, owner = choose_shapes(sizes, counts[used], tokens, rows, max_shapes)

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


def _round_up(lengths):
    """Returns the distinct lengths, rounded up, and the index of each row's length."""
    used = np.flatnonzero(_count(lengths, int(lengths.max()) + 1))
    steps = np.unique([_fine_length(int(length)) for length in used])
    place = np.searchsorted(steps, np.arange(used[-1] + 1)).astype(np.uint8)
    return steps, place[lengths]


def _count(values, size):
    """Counts each of 0 to `size` - 1, without a wider copy of all values."""
    counts = np.zeros(size, np.int64)
    for start in range(0, len(values), _BLOCK):
        counts += np.bincount(values[start : start + _BLOCK], minlength=size)
    return counts


def _fine_length(length):
    """Rounds up to a multiple of 4, or from 64 on of a sixteenth of the next power of two."""
    step = max(4, 1 << (length - 1).bit_length() >> 4)
    return -(-length // step) * step


def _runs(slices):
    """Yields (start, end) of the examples of each shape."""
    for number in range(slices[-1, 2] + 1):
        same = slices[slices[:, 2] == number]
        yield same[0, 0], same[-1, 1]
