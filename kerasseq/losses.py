"""Losses on logits; a model's `compute_loss` calls them."""

from typing import Any

from keras import ops


def cross_entropy(logits: Any, labels: Any, weights: Any, smoothing: float = 0.0) -> Any:
    """Label-smoothed cross-entropy, the mean over the labels that count.

        sum_nt w_nt [ log sum_k exp z_ntk - (1 - e) z_nty - e/V sum_k z_ntk ] / sum_nt w_nt

    with logits z, label y, weights w and smoothing e: the cross-entropy with the distribution
    that has 1 - e on the label and e spread evenly over all V.
    Szegedy et al. 2016 (Rethinking the Inception Architecture), section 7.

    Where weights are advantages of what was sampled, which may be negative, this is the loss whose
    gradient is that of REINFORCE (Williams, 1992); then sum |w| divides it.

    Args:
        logits: (N, T, V), computed in float32 whatever they come in.
        labels: (N, T), int.
        weights: (N, T), float, 0 on padding.
        smoothing: e, at least 0 and below 1.

    Returns:
        A float32 scalar; 0 where no label counts.
    """
    logits = ops.cast(logits, "float32")
    return _mean(_entropies(logits, labels, smoothing), weights)


def r_drop(
    first: Any, second: Any, labels: Any, weights: Any, smoothing: float = 0.0, alpha: float = 1.0
) -> Any:
    """Regularised dropout: two passes with different dropout, which are drawn to each other.

        1/2 [ L(p) + L(q) ] + alpha/4 [ KL(p || q) + KL(q || p) ]

    with L the label-smoothed cross-entropy. Wu, Li, Wang et al. 2021 (R-Drop), equation 4, here
    halved so that at alpha = 0 the value is that of `cross_entropy`.

    Args:
        first, second: (N, T, V), the logits of the two passes.
        labels, weights, smoothing: as for `cross_entropy`.
        alpha: weight of the divergence.
    """
    first, second = ops.cast(first, "float32"), ops.cast(second, "float32")
    losses = _entropies(first, labels, smoothing) + _entropies(second, labels, smoothing)
    log_p, log_q = ops.log_softmax(first), ops.log_softmax(second)
    # KL(p || q) + KL(q || p) = sum (p - q)(log p - log q)
    divergence = ops.sum((ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q), axis=-1)
    return _mean(0.5 * losses + 0.25 * alpha * divergence, weights)


def doubly_stochastic(attention: Any, mask: Any, weights: Any) -> Any:
    """How far the attention is from looking at every place once in all.

        sum_n sum_s (1 - sum_t a_nts)^2 / sum_nt w_nt

    with a only where the label counts, w_nt > 0; s runs over real places. Xu et al. 2015 (Show,
    Attend and Tell), equation 14, which is for one example: divided by what the cross-entropy is
    divided by, the two stand to each other as they do there.

    Args:
        attention: a, (N, T, S).
        mask: (N, S) bool, True where a place is real.
        weights: w, (N, T).
    """
    attention, weights = ops.cast(attention, "float32"), ops.cast(weights, "float32")
    counts = ops.cast(weights > 0, "float32")
    looked = ops.sum(attention * counts[:, :, None], axis=1)
    real = ops.cast(mask, "float32") * ops.max(counts, axis=1, keepdims=True)
    return ops.sum(real * ops.square(1.0 - looked)) / ops.maximum(ops.sum(weights), 1e-6)


def evaluation_sums(logits: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Sums from which validation makes its figures, so that batches of any size add up.

    Args:
        logits: (N, T, V).
        labels: (N, T), int.
        weights: (N, T), float, 0 on padding.

    Returns:
        Three float32 scalars: the sum of the cross-entropies (not smoothed, nats), the sum of the
        weights, and the weight of the labels that have the highest logit.
    """
    logits = ops.cast(logits, "float32")
    weights = ops.cast(weights, "float32")
    right = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int32")), "float32")
    losses = _entropies(logits, labels, 0.0)
    return ops.sum(losses * weights), ops.sum(weights), ops.sum(right * weights)


def label_weights(labels: Any, weights: Any = None) -> Any:
    """The weights (N, T) float32 of labels (N, T), of which 0 is padding.

    Args:
        weights: (N, T), as they are; (N,), of the rows; or None, 1 for every real label.
    """
    real = ops.cast(ops.not_equal(labels, 0), "float32")
    if weights is None:
        return real
    weights = ops.cast(weights, "float32")
    return weights[:, None] * real if len(weights.shape) == 1 else weights


def _entropies(logits, labels, smoothing):
    # The smoothed target is made on the fly in the sum: taking the label's logit out instead has
    # a gradient that scatters into a tensor of the logits' size, which costs more than all else.
    size = logits.shape[-1]
    here = ops.equal(ops.arange(size, dtype="int32"), ops.cast(labels, "int32")[..., None])
    target = ops.where(here, 1.0 - smoothing + smoothing / size, smoothing / size)
    return ops.logsumexp(logits, axis=-1) - ops.sum(target * logits, axis=-1)


def _mean(losses, weights):
    weights = ops.cast(weights, "float32")
    return ops.sum(losses * weights) / ops.maximum(ops.sum(ops.abs(weights)), 1e-6)
