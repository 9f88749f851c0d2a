"""Losses on logits; a model's `compute_loss` calls them."""

from typing import Any

from keras import ops


def cross_entropy(logits: Any, labels: Any, weights: Any, smoothing: float = 0.0) -> Any:
    """Computes the label-smoothed cross-entropy, the mean over all weighted labels.

        sum_nt w_nt [ log sum_k exp z_ntk - (1 - e) z_nty - e/V sum_k z_ntk ] / sum_nt w_nt

    with logits z, label y, weights w and smoothing e: the cross-entropy with a distribution of
    1 - e on the label and of e spread evenly over all V (Szegedy et al., 2016, Rethinking the
    Inception Architecture, section 7).

    The weights may also be the advantages of sampled tokens, which can be negative. The gradient
    is then the gradient of REINFORCE (Williams, 1992), and the divisor is sum |w|.

    Args:
        logits: (N, T, V), cast to float32.
        labels: (N, T), int.
        weights: (N, T), float, 0 on padding.
        smoothing: e, at least 0 and below 1.

    Returns:
        A float32 scalar; 0 where all weights are 0.
    """
    logits = ops.cast(logits, "float32")
    return _mean(_entropies(logits, labels, smoothing), weights)


def r_drop(
    first: Any, second: Any, labels: Any, weights: Any, smoothing: float = 0.0, alpha: float = 1.0
) -> Any:
    """Computes the loss of R-Drop, which brings two passes with different dropout together.

        1/2 [ L(p) + L(q) ] + alpha/4 [ KL(p || q) + KL(q || p) ]

    with the label-smoothed cross-entropy L. Wu, Li, Wang et al., 2021 (R-Drop), equation 4. It is
    halved here, so that alpha = 0 gives the value of `cross_entropy`.

    Args:
        first, second: (N, T, V), the logits of the two passes.
        labels, weights, smoothing: as for `cross_entropy`.
        alpha: the weight of the divergence.
    """
    first, second = ops.cast(first, "float32"), ops.cast(second, "float32")
    losses = _entropies(first, labels, smoothing) + _entropies(second, labels, smoothing)
    log_p, log_q = ops.log_softmax(first), ops.log_softmax(second)
    # KL(p || q) + KL(q || p) = sum (p - q)(log p - log q)
    divergence = ops.sum((ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q), axis=-1)
    return _mean(0.5 * losses + 0.25 * alpha * divergence, weights)


def doubly_stochastic(attention: Any, mask: Any, weights: Any) -> Any:
    """Measures how far the total attention to each place is from 1.

        sum_n sum_s (1 - sum_t a_nts)^2 / sum_nt w_nt

    where t runs over labels with w_nt > 0, and s over real places. Xu et al., 2015 (Show, Attend
    and Tell), equation 14, for one example. The divisor is the divisor of the cross-entropy, so
    that the ratio of the two is as in the paper.

    Args:
        attention: a, (N, T, S).
        mask: (N, S) bool, True where a place is real.
        weights: w, (N, T).
    """
    attention, weights = ops.cast(attention, "float32"), ops.cast(weights, "float32")
    counts = ops.cast(weights > 0, "float32")
    total = ops.sum(attention * counts[:, :, None], axis=1)
    real = ops.cast(mask, "float32") * ops.max(counts, axis=1, keepdims=True)
    return ops.sum(real * ops.square(1.0 - total)) / ops.maximum(ops.sum(weights), 1e-6)


def evaluation_sums(logits: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Computes sums from which validation computes its figures, so that batches can be added.

    Args:
        logits: (N, T, V).
        labels: (N, T), int.
        weights: (N, T), float, 0 on padding.

    Returns:
        Three float32 scalars: the sum of the cross-entropies (not smoothed, in nats), the sum of
        the weights, and the sum of the weights of the labels with the highest logit.
    """
    logits = ops.cast(logits, "float32")
    weights = ops.cast(weights, "float32")
    right = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int32")), "float32")
    losses = _entropies(logits, labels, 0.0)
    return ops.sum(losses * weights), ops.sum(weights), ops.sum(right * weights)


def label_weights(labels: Any, weights: Any = None) -> Any:
    """Returns the weights (N, T) float32 of labels (N, T), where 0 is padding.

    Args:
        weights: (N, T), which stay as they are; (N,), the weights of rows; or None, for a weight
            of 1 for every real label.
    """
    real = ops.cast(ops.not_equal(labels, 0), "float32")
    if weights is None:
        return real
    weights = ops.cast(weights, "float32")
    return weights[:, None] * real if len(weights.shape) == 1 else weights


def _entropies(logits, labels, smoothing):
    # The sum uses the smoothed target. Gathering the logit of the label instead has a gradient
    # that scatters into a tensor of the size of the logits, which costs more than all the rest.
    size = logits.shape[-1]
    here = ops.equal(ops.arange(size, dtype="int32"), ops.cast(labels, "int32")[..., None])
    target = ops.where(here, 1.0 - smoothing + smoothing / size, smoothing / size)
    return ops.logsumexp(logits, axis=-1) - ops.sum(target * logits, axis=-1)


def _mean(losses, weights):
    weights = ops.cast(weights, "float32")
    return ops.sum(losses * weights) / ops.maximum(ops.sum(ops.abs(weights)), 1e-6)
