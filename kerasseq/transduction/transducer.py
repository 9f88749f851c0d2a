"""The transducer's loss: minus the log of the sum over all alignments of labels to frames."""

from typing import Any

import keras
from keras import ops

from kerasseq import backend
from kerasseq.transduction.ctc import NEVER


def transducer_loss(blank: Any, label: Any, frames: Any, labels: Any) -> Any:
    """-log p(y | x) of each row, from the log-probabilities of a lattice.

        alpha(t, u) = alpha(t-1, u) blank(t-1, u) + alpha(t, u-1) label(t, u-1)
        beta(t, u) = beta(t+1, u) blank(t, u) + beta(t, u+1) label(t, u)
        p(y | x) = alpha(T-1, U) blank(T-1, U)
        d log p / d log blank(t, u) = alpha(t, u) blank(t, u) beta(t+1, u) / p

    and likewise for labels (Graves, 2012, equations 16 to 20), in log space. All places with the
    same t + u are computed at once, forward and backward side by side. So there are T + U steps,
    and none for the gradient. There is no second derivative.

    Args:
        blank: (N, T, U + 1), the log-probability of going on to frame t + 1 after u labels.
        label: (N, T, U), the log-probability of the label u + 1 at frame t after u labels.
        frames: (N,) int, T of each row, at least 1.
        labels: (N,) int, U of each row.

    Returns:
        (N,) float32, in nats. Values beyond the frames and labels of a row have no effect.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import transducer_loss
    >>> blank, label = np.log(np.full((1, 2, 2), 0.5)), np.log(np.full((1, 2, 1), 0.5))
    >>> loss = transducer_loss(blank, label, np.array([2]), np.array([1]))
    >>> round(float(np.exp(-loss[0])), 4)  # two alignments of three steps
    0.25
    """
    stay, move = _common_corner(
        ops.cast(blank, "float32"), ops.cast(label, "float32"), frames, labels
    )
    stay, move = _diagonals(stay), _diagonals(move)
    fixed_stay, fixed_move = ops.stop_gradient(stay), ops.stop_gradient(move)
    # Backward is forward from the other corner, with the label that leads to a place on it.
    stays = ops.stack([fixed_stay, ops.flip(fixed_stay, axis=(0, 2))], axis=1)
    moves = ops.stack([_shift(fixed_move), ops.flip(fixed_move, axis=(0, 2))], axis=1)

    def step(sums, x):
        stay, move = x
        return log_add(sums + stay, _shift(sums) + move), sums

    start = ops.where(ops.arange(ops.shape(stays)[3]) == 0, 0.0, NEVER)
    last, sums = backend.scan(step, start + ops.zeros_like(stays[0]), (stays, moves))
    alpha, beta = sums[:, 0], ops.flip(sums[:, 1], axis=(0, 2))
    # A path crosses each diagonal once: as shares of it, errors of the sums cancel.
    ahead = ops.pad(beta[:, :, 1:], ((0, 0), (0, 0), (0, 1)), constant_values=NEVER)
    both = ops.stack([alpha + fixed_stay + beta, alpha + fixed_move + ahead], axis=2)
    shape = ops.shape(both)
    shares = ops.softmax(ops.reshape(both, (shape[0], shape[1], 2 * shape[3])), axis=-1)
    shares = ops.stop_gradient(ops.reshape(shares, shape))
    # Linear in the log-probabilities, with the gradient of log p.
    linear = ops.sum(shares[:, :, 0] * stay + shares[:, :, 1] * move, axis=(0, 2))
    return ops.stop_gradient(linear - last[0, :, -1]) - linear


def _common_corner(blank: Any, label: Any, frames: Any, labels: Any) -> tuple[Any, Any]:
    """Both as (N, T + 1, U + 1), in which the paths of all rows end at the corner (T, U).

    After its last blank a row goes on with blanks to T, then with labels to U, at no cost.
    """
    _, steps, places = ops.shape(blank)
    t = ops.arange(steps + 1, dtype="int32")[None, :, None]
    u = ops.arange(places, dtype="int32")[None, None]
    frames = ops.cast(frames, "int32")[:, None, None]
    labels = ops.cast(labels, "int32")[:, None, None]
    blank = ops.pad(blank, ((0, 0), (0, 1), (0, 0)))
    label = ops.pad(label, ((0, 0), (0, 1), (0, 1)))
    inside = t < frames
    blank = ops.where(inside, blank, ops.where(u == labels, 0.0, NEVER))
    free = ops.where(ops.logical_and(t == steps, u >= labels), 0.0, NEVER)
    return blank, ops.where(ops.logical_and(inside, u < labels), label, free)


def _diagonals(lattice: Any) -> Any:
    """(N, T + 1, U + 1) to (T + U, N, U + 1): place (t, u) goes to (t + u, u)."""
    n, steps, places = ops.shape(lattice)
    # Rows that are one place longer than those they are read as move on by one each.
    rows = ops.pad(
        ops.transpose(lattice, (0, 2, 1)), ((0, 0), (0, 0), (0, places)), constant_values=NEVER
    )
    flat = ops.reshape(rows, (n, places * (steps + places)))
    flat = flat[:, : places * (steps + places - 1)]
    rows = ops.reshape(flat, (n, places, steps + places - 1))
    return ops.transpose(rows[:, :, : steps + places - 2], (2, 0, 1))


def _shift(sums: Any) -> Any:
    """Moves each place of the last axis to the next one."""
    never = ops.full_like(sums[..., :1], NEVER)
    return ops.concatenate([never, sums[..., :-1]], axis=-1)


def log_add(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)) of finite numbers."""
    return ops.maximum(a, b) + ops.log1p(ops.exp(-ops.abs(a - b)))


def transducer_lattice(
    joiner: keras.layers.Layer, encoded: Any, predicted: Any, targets: Any, chunk: int = 8
) -> tuple[Any, Any]:
    """Computes the log-probabilities that `transducer_loss` needs, a few frames at a time.

    Logits exist for `chunk` frames at once and are computed again for the gradient, so that the
    whole (N, T, U + 1, V) is never in memory. Only the normaliser needs all logits: the logit of a
    label comes from the column of the label alone.

    Args:
        joiner: a `Joiner`. The blank is 0.
        encoded: (N, T, D), from the encoder.
        predicted: (N, U + 1, E), from the prediction network after 0 to U labels.
        targets: (N, U) int, the labels.
        chunk: frames at a time.

    Returns:
        blank (N, T, U + 1) and label (N, T, U), float32.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> joiner = kerasseq.transduction.Joiner(vocabulary_size=9, units=4)
    >>> joiner.build((None, None, 8), (None, None, 6))
    >>> encoded, predicted = np.zeros((1, 5, 8), "float32"), np.zeros((1, 3, 6), "float32")
    >>> blank, label = kerasseq.transduction.transducer_lattice(
    ...     joiner, encoded, predicted, np.array([[4, 5]]))
    >>> tuple(blank.shape), tuple(label.shape)
    ((1, 5, 3), (1, 5, 2))
    """
    encoded, predicted = joiner.project_encoded(encoded), joiner.project_predicted(predicted)
    kernel, bias = joiner.output_weights()
    n, steps, width = ops.shape(encoded)
    places = ops.shape(predicted)[1]
    targets = ops.pad(ops.cast(targets, "int32"), ((0, 0), (0, 1)))
    columns, biases = ops.take(ops.transpose(kernel), targets, axis=0), ops.take(bias, targets)
    parts = -(-steps // chunk)
    padded = ops.pad(encoded, ((0, 0), (0, parts * chunk - steps), (0, 0)))
    xs = ops.transpose(ops.reshape(padded, (n, parts, chunk, width)), (1, 0, 2, 3))

    def some(frames, predicted, kernel, bias, columns, biases):
        hidden = joiner.hidden(frames[:, :, None], predicted[:, None])
        # As one product: over four axes its gradient would be a matrix for each frame.
        logits = ops.matmul(ops.reshape(hidden, (-1, width)), kernel) + bias
        logits = ops.cast(logits, "float32")
        shape = (n, chunk, places)
        norm = ops.reshape(ops.logsumexp(logits, axis=-1), shape)
        own = ops.sum(hidden * columns[:, None], axis=-1) + biases[:, None]
        return ops.reshape(logits[:, 0], shape) - norm, ops.cast(own, "float32") - norm

    # All trained tensors are arguments: TensorFlow gives closed-over tensors no gradient.
    again = keras.remat(some)
    _, (blank, label) = backend.scan(
        lambda carry, x: (carry, again(x, predicted, kernel, bias, columns, biases)), (), xs
    )

    def joined(x):
        x = ops.transpose(x, (1, 0, 2, 3))
        return ops.reshape(x, (n, parts * chunk, places))[:, :steps]

    return joined(blank), joined(label)[:, :, :-1]
