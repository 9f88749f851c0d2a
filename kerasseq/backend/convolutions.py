"""Convolutions that are slow in the backends."""

from typing import Any

from keras import ops

from kerasseq.backend.which import has_accelerator, name


def depthwise_conv_1d(values: Any, kernel: Any, training: bool = False) -> Any:
    """Computes y[t] = sum over i of w[i] * x[t + i]: (N, S + K - 1, D), (K, D) -> (N, S, D).

    On a CPU, XLA takes thirty times as long for the convolution as for a sum of products.
    TensorFlow without XLA, which trains there, takes ten times as long for the sum.
    """
    if training and name() == "tensorflow":
        return ops.depthwise_conv(
            values, kernel[:, :, None], padding="valid", data_format="channels_last"
        )
    count = ops.shape(values)[1] - kernel.shape[0] + 1
    parts = [kernel[i] * values[:, i : i + count] for i in range(kernel.shape[0])]
    return sum(parts[1:], parts[0])


def depthwise_conv_2d(values: Any, kernel: Any, stride: int) -> Any:
    """Computes y[r, c] = sum over i, j of w[i, j] * x[s r + i, s c + j].

    Rows and columns are padded with zeros ("same").

    On a CPU, XLA takes up to a hundred times as long for the convolution as for a sum of products.

    Args:
        values: (N, H, W, D) of known H and W.
        kernel: (K, K, D).
        stride: s.

    Returns:
        (N, ceil(H / s), ceil(W / s), D)
    """
    if name() != "jax" or has_accelerator():
        return ops.depthwise_conv(
            values, kernel[..., None], stride, padding="same", data_format="channels_last"
        )
    width, sides = kernel.shape[0], values.shape[1:3]
    steps = [-(-side // stride) for side in sides]
    around = [
        max((count - 1) * stride + width - side, 0)
        for count, side in zip(steps, sides, strict=True)
    ]
    values = ops.pad(values, [(0, 0), *((more // 2, more - more // 2) for more in around), (0, 0)])
    rows, columns = ((count - 1) * stride + 1 for count in steps)
    parts = [
        kernel[i, j] * values[:, i : i + rows : stride, j : j + columns : stride]
        for i in range(width)
        for j in range(width)
    ]
    return sum(parts[1:], parts[0])
