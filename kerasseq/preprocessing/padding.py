"""Padding: rows of unequal length as one array, in few distinct lengths."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kerasseq.special_ids import BEGIN, PAD


class Ragged(NamedTuple):
    """Rows of ids end to end: row i is `ids[offsets[i]:offsets[i + 1]]`.

    Attributes:
        ids: (sum of lengths,) int32. Rows of other things have (sum of lengths, ...) of any dtype.
        offsets: (N + 1,) int64, from 0 to `len(ids)`.
    """

    ids: np.ndarray
    offsets: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Steps in each row: (N,) int64."""
        return np.diff(self.offsets)


def ladder_length(length: int) -> int:
    """Returns the least of 8, 16, 24, 32, 48, 64, 96, 128, 192, ... that is at least `length`.

    Each shape needs its own compiled function. On this ladder there are few shapes, and at most
    half of a row of more than 8 steps is padding.
    """
    if length <= 32:
        return max(8, -(-length // 8) * 8)
    power = 1 << (length - 1).bit_length()
    return power if length > power * 3 // 4 else power * 3 // 4


def sound_ladder_length(length: int) -> int:
    """Returns the least of 4, 8, 16, 32, ... that is at least `length`.

    To compile for another length takes as long as to decode minutes of sound: there are as few
    lengths as possible.
    """
    return max(4, 1 << (length - 1).bit_length())


def pad(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """Pads rows on the right with 0: (N, width) int32."""
    padded = np.full((len(rows), width), PAD, np.int32)
    for row, ids in zip(padded, rows, strict=True):
        row[: len(ids)] = ids
    return padded


def pad_ragged(rows: Ragged, width: int) -> np.ndarray:
    """Pads rows on the right with 0: (N, width, ...), without a loop over the rows."""
    mask = np.arange(width) < rows.lengths[:, None]
    padded = np.full((*mask.shape, *rows.ids.shape[1:]), PAD, rows.ids.dtype)
    padded[mask] = rows.ids
    return padded


def teacher_forcing(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns decoder inputs (N, T) and weights (N, T) of padded labels (N, T) that end with eos.

    tokens[t] = labels[t - 1], tokens[0] = bos; a weight is 1 on a real label and 0 on padding.
    """
    real = labels != PAD
    tokens = np.full_like(labels, BEGIN)
    # Padding follows eos, and the decoder never reads eos itself.
    tokens[:, 1:] = np.where(real[:, 1:], labels[:, :-1], PAD)
    return tokens, real.astype(np.float32)


def prediction_tokens(labels: np.ndarray) -> np.ndarray:
    """Returns prediction network inputs (N, U + 1) of padded labels (N, U) without eos: bos and
    labels.

    Step u has read u labels. There are U + 1 steps, since blanks follow the last label too.
    """
    begin = np.full_like(labels, BEGIN, shape=(len(labels), 1))
    return np.concatenate([begin, labels], axis=1)
