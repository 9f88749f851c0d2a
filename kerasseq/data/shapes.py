"""The few shapes of batch that pad a set of lengths least."""

import numpy as np


def row_limit(steps: np.ndarray, tokens: int, rows: int) -> np.ndarray:
    """Rows of a full batch of each shape (2, K): (K,)."""
    limit = np.clip(tokens // steps.max(axis=0), 1, rows)
    return np.where(limit >= 8, limit // 8 * 8, limit)


def choose_shapes(
    sizes: np.ndarray, counts: np.ndarray, tokens: int, rows: int, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Shapes (S, T) for examples of given sizes, by coordinate descent from quantiles.

    Args:
        sizes: (2, M) S and T of each kind of example, S in one row and T in the other.
        counts: (M,) examples of each kind.
        tokens: steps of a batch's longer side at most.
        rows: rows of a batch at most.
        most: shapes at most.

    Returns:
        (2, K) steps of each shape, K <= most, and (M,) the shape of each kind.
    """

    def assigned(shapes):
        """The cheapest shape that holds each kind, and the steps of all batches."""
        fits = (sizes[:, :, None] <= shapes[:, None, :]).all(axis=0)
        owner = np.where(fits, shapes.sum(axis=0), np.iinfo(np.int64).max).argmin(axis=1)
        examples = np.bincount(owner, counts, minlength=shapes.shape[1]).astype(np.int64)
        limit = row_limit(shapes, tokens, rows)
        # The last batch counts as full, so that a shape for a handful of examples does not pay.
        return owner, (-(-examples // limit) * limit * shapes.sum(axis=0)).sum()

    shapes = _quantiles(sizes, counts, most)
    least = assigned(shapes)[1]
    before = None
    while least != before:
        before = least
        # The last shape holds the longest of both sides and stays.
        for number in range(most - 1):
            for move in _moves(sizes, shapes[:, number]):
                moved = shapes.copy()
                moved[:, number] = move
                steps = assigned(moved)[1]
                if steps < least:
                    shapes, least = moved, steps
    used, owner = np.unique(assigned(shapes)[0], return_inverse=True)
    return shapes[:, used], owner


def _moves(sizes, shape):
    """Other values of one side, of the other, and of both together."""
    source, target = shape
    yield from ((value, target) for value in np.unique(sizes[0]))
    yield from ((source, value) for value in np.unique(sizes[1]))
    yield from np.minimum(np.unique(sizes), sizes.max(axis=1, keepdims=True)).T


def _quantiles(sizes, counts, most):
    """(2, most) square shapes that hold like parts of the steps; the last holds every size."""
    longer = sizes.max(axis=0)
    order = np.argsort(longer, kind="stable")
    steps = np.cumsum(longer[order] * counts[order])
    places = np.searchsorted(steps, steps[-1] * np.arange(1, most + 1) / most)
    squares = np.unique(longer[order][places])
    # One of each, or moving one away would change nothing; the rest begin as the largest.
    squares = np.append(squares, np.full(most - len(squares), squares[-1]))
    return np.minimum(squares, sizes.max(axis=1, keepdims=True))
