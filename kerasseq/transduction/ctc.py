"""Connectionist temporal classification: the loss, the best path, and forced alignment."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from kerasseq import backend
from kerasseq.masking import mask_to_lengths, reverse_by_length
from kerasseq.special_ids import BLANK, END, PAD
from kerasseq.transduction.result import SearchResult

# Finite, so that a place that no path reaches gives no inf - inf.
NEVER = -1e30


def ctc_loss(logits: Any, mask: Any, labels: Any) -> Any:
    """-log p(labels | frames) of each row: the sum over all paths that collapse to the labels.

        l' = labels with a blank before, between and after them
        alpha_t(s) = y_t(l'_s) (alpha_{t-1}(s) + alpha_{t-1}(s-1) [+ alpha_{t-1}(s-2)])
        p = sum over s of alpha_t(s) beta_t(s) / y_t(l'_s), for any t
        d(-log p) / d z_t(k) = y_t(k) - sum over l'_s = k of alpha_t(s) beta_t(s) / (p y_t(k))

    with y = softmax(z). The term of s - 2 counts where l'_s is a label other than the one before
    it. Graves et al., 2006, equations 6 to 8 and 16, in log space and float32.

    The gradient is the closed form. The loss computes beta beside alpha, as the alpha of the
    reversed row, so that no gradient flows through the loop. There is no second derivative.

    A row with fewer frames than `least_frames` has no path. Its loss is 1e30 and its gradient is 0:
    leave such rows out of a mean.

    Args:
        logits: (N, S, V), finite. Log-probabilities work as well.
        mask: (N, S) bool, right-padded.
        labels: (N, U) int, padded with 0. U is at least 1.

    Returns:
        (N,) float32, in nats.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import ctc_loss
    >>> probabilities = np.array([[[0.5, 0, 0, 0, 0.5], [0.5, 0, 0, 0, 0.5]]]) + 1e-9
    >>> mask, labels = np.ones((1, 2), bool), np.array([[4]])
    >>> loss = ctc_loss(np.log(probabilities), mask, labels)
    >>> round(float(np.exp(-loss[0])), 4)  # the paths "4 4", "blank 4" and "4 blank"
    0.75
    """
    logits, labels = ops.cast(logits, "float32"), ops.cast(labels, "int32")
    fixed = ops.stop_gradient(logits)
    norm = ops.logsumexp(fixed, axis=-1, keepdims=True)
    paths = _paths(fixed, norm, mask, labels)

    frames = mask_to_lengths(mask)
    possible = frames >= least_frames(labels)
    loss = ops.where(frames > 0, -ops.logsumexp(paths[:, 0], axis=-1), 0.0)
    loss = ops.where(possible, loss, -NEVER)

    counts = ops.cast(ops.logical_and(mask, possible[:, None]), "float32")[:, :, None]
    posteriors = ops.softmax(paths, axis=-1) * counts
    spelt = ops.one_hot(labels, logits.shape[-1], dtype="float32")
    gradient = ops.exp(fixed - norm) * counts - ops.matmul(posteriors[:, :, 1::2], spelt)
    blanks = ops.sum(posteriors[:, :, 0::2], axis=-1)
    # Linear in the logits, with the loss's gradient and, less itself, a value of 0.
    tangent = ops.sum(gradient * logits, axis=(1, 2)) - ops.sum(blanks * logits[:, :, 0], axis=1)
    return loss + (tangent - ops.stop_gradient(tangent))


def ctc_consistency(first: Any, second: Any, mask: Any) -> Any:
    """The divergence between two passes over the same rows, which pulls each towards the other.

        1/2 sum over t of KL(sg(q_t) || p_t) + KL(sg(p_t) || q_t)

    with p and q the softmax of the logits, and sg without a gradient. CR-CTC, Yao et al., 2024,
    section 3.2.

    Args:
        first, second: (N, S, V), logits.
        mask: (N, S) bool, right-padded.

    Returns:
        (N,) float32, in nats.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import ctc_consistency
    >>> first, mask = np.zeros((1, 3, 5), "float32"), np.ones((1, 3), bool)
    >>> second = first + np.arange(5, dtype="float32")
    >>> float(ctc_consistency(first, first, mask)[0])
    0.0
    >>> float(ctc_consistency(first, second, mask)[0]) > 1
    True
    """
    logs = [ops.log_softmax(ops.cast(x, "float32"), axis=-1) for x in (first, second)]
    fixed = [ops.stop_gradient(x) for x in logs]
    one = ops.sum(ops.exp(fixed[1]) * (fixed[1] - logs[0]), axis=-1)
    other = ops.sum(ops.exp(fixed[0]) * (fixed[0] - logs[1]), axis=-1)
    return 0.5 * ops.sum(ops.where(mask, one + other, 0.0), axis=-1)


def least_frames(labels: Any) -> Any:
    """The number of frames of the shortest path that spells each row of labels.

    The path has a frame for each label, and one for the blank between a label and its repetition.

    Args:
        labels: (N, U) int, padded with 0.

    Returns:
        (N,) int32.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import least_frames
    >>> [int(frames) for frames in least_frames(np.array([[4, 5, 6], [4, 4, 0]]))]
    [3, 3]
    """
    labels = ops.cast(labels, "int32")
    real = labels != BLANK
    again = ops.logical_and(real[:, 1:], labels[:, 1:] == labels[:, :-1])
    return ops.sum(ops.cast(real, "int32"), axis=1) + ops.sum(ops.cast(again, "int32"), axis=1)


def _paths(logits, norm, mask, labels):
    """(N, S, 2U + 1): the log-probability of all paths that are at place s in frame t."""
    n, width = ops.shape(labels)
    vocabulary_size = logits.shape[-1]
    pairs = ops.stack([ops.zeros_like(labels), labels], axis=-1)
    places = ops.pad(ops.reshape(pairs, (n, 2 * width)), ((0, 0), (0, 1)))
    # Gathered by rows of frames: element by element would take several times as long.
    rows = ops.arange(n, dtype="int32")[:, None] * vocabulary_size + places
    flat = ops.reshape(ops.transpose(logits, (0, 2, 1)), (-1, ops.shape(logits)[1]))
    emissions = ops.transpose(ops.take(flat, rows, axis=0), (0, 2, 1)) - norm

    # Below the rows the same reversed, in frames and in places.
    both = ops.concatenate([places, ops.flip(places, axis=1)], axis=0)
    xs = ops.concatenate([emissions, _reverse(emissions, mask)], axis=0)
    before = ops.pad(both[:, :-2], ((0, 0), (2, 0))) if both.shape[1] != 1 else both
    jumps = ops.where(ops.logical_and(both != BLANK, both != before), 0.0, NEVER)
    used = mask_to_lengths(labels != BLANK)
    first = ops.concatenate([ops.zeros_like(used), 2 * (width - used)], axis=0)[:, None]
    start = ops.where(ops.arange(ops.shape(both)[1], dtype="int32") == first, 0.0, NEVER)

    def step(alpha, emission):
        padded = ops.pad(alpha, ((0, 0), (2, 0)), constant_values=NEVER)
        one, two = padded[:, 1:-1], padded[:, :-2] + jumps
        peak = ops.maximum(ops.maximum(alpha, one), two)
        total = ops.exp(alpha - peak) + ops.exp(one - peak) + ops.exp(two - peak)
        alpha = peak + ops.log(total) + emission
        return alpha, alpha

    _, alphas = backend.scan(step, start, ops.transpose(xs, (1, 0, 2)))
    alphas = ops.transpose(alphas, (1, 0, 2))
    return alphas[:n] + _reverse(alphas[n:], mask) - emissions


def _reverse(values, mask):
    return ops.flip(reverse_by_length(values, mask), axis=2)


def ctc_greedy_search(logits: Any, mask: Any) -> SearchResult:
    """The labels of the most probable path of each row (Graves et al., 2006, section 3.2).

    The path holds no special id but the blank. The score is the log-probability of this one path,
    not of all paths that collapse to the labels.

    Args:
        logits: (N, S, V).
        mask: (N, S) bool, right-padded.

    Returns:
        A `SearchResult` with L = S.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import ctc_greedy_search
    >>> path = np.array([[4, 4, 0, 5, 5]])  # an id for each frame; 0 is the blank
    >>> result = ctc_greedy_search(9.0 * np.eye(6, dtype="float32")[path], np.ones((1, 5), bool))
    >>> [int(token) for token in result.tokens[0]], [int(frame) for frame in result.frames[0]]
    ([4, 5, 0, 0, 0], [0, 3, 0, 0, 0])
    """
    logits = ops.cast(logits, "float32")
    norm = ops.logsumexp(logits, axis=-1)
    ids = np.arange(logits.shape[-1])
    logits = ops.where((ids == BLANK) | (ids > END), logits, -np.inf)
    path = ops.where(mask, ops.cast(ops.argmax(logits, axis=-1), "int32"), BLANK)
    gains = ops.max(logits, axis=-1) - norm
    score = ops.sum(ops.where(mask, gains, 0.0), axis=1)

    before = ops.pad(path[:, :-1], ((0, 0), (1, 0)), constant_values=BLANK)
    begins = ops.logical_and(path != BLANK, path != before)
    steps = ops.shape(path)[1]
    frames = ops.where(begins, ops.arange(steps, dtype="int32"), steps)
    frames = ops.sort(frames, axis=1)
    found = frames < steps
    frames = ops.where(found, frames, 0)
    tokens = ops.where(found, ops.take_along_axis(path, frames, axis=1), PAD)
    log_probs = ops.where(found, ops.take_along_axis(gains, frames, axis=1), 0.0)
    return SearchResult(tokens, score, frames, log_probs)


class ForcedAlignment(NamedTuple):
    """The places of the labels on the most probable path that spells them.

    Attributes:
        first, last: (N, U) int32, the first and the last frame of each label. They are -1 on
            padding and in rows without a path.
        log_probs: (N, U), the mean log-probability of each label in its frames. It is 0 on padding
            and minus infinity in rows without a path.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import ForcedAlignment
    >>> path = ForcedAlignment(np.array([[0, 3]]), np.array([[2, 3]]), np.zeros((1, 2)))
    >>> (path.last - path.first + 1).tolist()  # the frames of each label
    [[3, 1]]
    """

    first: np.ndarray
    last: np.ndarray
    log_probs: np.ndarray


def align_labels(log_probs: np.ndarray, mask: np.ndarray, labels: np.ndarray) -> ForcedAlignment:
    """Finds the most probable path that spells the labels, by the Viterbi algorithm in NumPy.

    Args:
        log_probs: (N, S, V).
        mask: (N, S) bool, right-padded.
        labels: (N, U) int, padded with 0.

    Returns:
        A `ForcedAlignment`.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import align_labels
    >>> log_probs = np.log(0.01 + 0.9 * np.eye(6)[[[0, 4, 4, 5]]])
    >>> path = align_labels(log_probs, np.ones((1, 4), bool), np.array([[4, 5]]))
    >>> path.first.tolist(), path.last.tolist()
    ([[1, 3]], [[2, 3]])
    """
    log_probs, mask, labels = map(np.asarray, (log_probs, mask, labels))
    n, steps = mask.shape
    used = (labels != BLANK).sum(axis=1)
    places = np.zeros((n, 2 * labels.shape[1] + 1), np.int64)
    places[:, 1::2] = labels
    emissions = np.take_along_axis(log_probs, places[:, None], axis=2)
    jumps = np.full(places.shape, -np.inf)
    jumps[:, 2:][(places[:, 2:] != BLANK) & (places[:, 2:] != places[:, :-2])] = 0

    best = np.full((n, places.shape[1] + 2), -np.inf)
    best[:, 2] = 0
    back = np.zeros((steps, *places.shape), np.int8)
    for t in range(steps):
        ways = np.stack([best[:, 2:], best[:, 1:-1], best[:, :-2] + jumps])
        back[t] = ways.argmax(axis=0)
        on = ways.max(axis=0) + emissions[:, t]
        best[:, 2:] = np.where(mask[:, t, None], on, best[:, 2:])

    rows = np.arange(n)
    ends = best[rows, 2 + 2 * used], np.where(used > 0, best[rows, 1 + 2 * used], -np.inf)
    place = 2 * used - (ends[1] > ends[0])
    possible = np.maximum(*ends) > -np.inf
    on_path = np.zeros((n, steps, labels.shape[1]), bool)
    for t in range(steps - 1, -1, -1):
        here = mask[:, t] & possible & (place % 2 == 1)
        on_path[rows[here], t, place[here] // 2] = True
        place = np.where(mask[:, t], place - back[t][rows, place], place)

    found = on_path.any(axis=1)
    first = np.where(found, on_path.argmax(axis=1), -1).astype("int32")
    last = np.where(found, steps - 1 - on_path[:, ::-1].argmax(axis=1), -1).astype("int32")
    sums = np.where(on_path, emissions[:, :, 1::2], 0).sum(axis=1)
    means = sums / np.maximum(on_path.sum(axis=1), 1)
    impossible = (labels != BLANK) & ~possible[:, None]
    return ForcedAlignment(first, last, np.where(impossible, -np.inf, means))
