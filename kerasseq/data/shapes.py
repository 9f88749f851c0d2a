"""The choice of a few shapes of batches with the least padding."""

import numpy as np


def row_limit(steps: np.ndarray, tokens: int, rows: int) -> np.ndarray:
    """Returns the number of rows (K,) of a full batch of each shape (2, K)."""
    limit = np.clip(tokens // steps.max(axis=0), 1, rows)
    return np.where(limit >= 8, limit // 8 * 8, limit)


def choose_shapes(
    sizes: np.ndarray, counts: np.ndarray, tokens: int, rows: int, max_shapes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses shapes (S, T) for examples of given sizes, by coordinate descent from quantiles.

    Args:
        sizes: (2, M) S and T of each kind of example, S in one row and T in the other.
        counts: (M,) the number of examples of each kind.
        tokens: the most steps of a batch's longer side.
        rows: the most rows of a batch.
        max_shapes: the most shapes.

    Returns:
        (2, K) the steps of each shape, K <= max_shapes, and (M,) the shape of each kind.
    """

    def assign(shapes):
        """Returns the cheapest shape that holds each kind, and the steps of all batches."""
        fits = (sizes[:, :, None] <= shapes[:, None, :]).all(axis=0)
        owner = np.where(fits, shapes.sum(axis=0), np.iinfo(np.int64).max).argmin(axis=1)
        examples = np.bincount(owner, counts, minlength=shapes.shape[1]).astype(np.int64)
        limit = row_limit(shapes, tokens, rows)
        # The last batch counts as full, so that a shape for a handful of examples does not pay.
        return owner, (-(-examples // limit) * limit * shapes.sum(axis=0)).sum()

    shapes = _quantiles(sizes, counts, max_shapes)
    cost, before = assign(shapes)[1], None
    while cost != before:
        before = cost
        # The last shape holds the longest of both sides and stays.
        for number in range(max_shapes - 1):
            for move in _moves(sizes, shapes[:, number]):
                moved = shapes.copy()
                moved[:, number] = move
                steps = assign(moved)[1]
                if steps < cost:
                    shapes, cost = moved, steps
    used, owner = np.unique(assign(shapes)[0], return_inverse=True)
    return shapes[:, used], owner


def _moves(sizes, shape):
    """Yields other values of one side, of the other side, and of both sides together."""
    source, target = shape
    yield from ((value, target) for value in np.unique(sizes[0]))
    yield from ((source, value) for value in np.unique(sizes[1]))
    yield from np.minimum(np.unique(sizes), sizes.max(axis=1, keepdims=True)).T


def _quantiles(sizes, counts, max_shapes):
    """Returns (2, max_shapes) square shapes with equal shares of the steps; the last holds all."""
    longer = sizes.max(axis=0)
    order = np.argsort(longer, kind="stable")
    steps = np.cumsum(longer[order] * counts[order])
    places = np.searchsorted(steps, steps[-1] * np.arange(1, max_shapes + 1) / max_shapes)
    squares = np.unique(longer[order][places])
    # Without duplicates, since moving one of two equal shapes changes nothing.
    squares = np.append(squares, np.full(max_shapes - len(squares), squares[-1]))
    return np.minimum(squares, sizes.max(axis=1, keepdims=True))
