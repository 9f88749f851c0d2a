"""What captioned pictures are like, by their lists."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class PictureFacts:
    """Counts of captioned pictures.

    Attributes:
        pictures: the number of different files.
        captions: the number of captions.
        mean_captions: the mean number of captions of a picture.
        fewest_captions: the smallest number of captions of a picture.
        most_captions: the largest number of captions of a picture.
        captions_each: the number of captions of each picture, in order: (pictures,) int32.
    """

    pictures: int
    captions: int
    mean_captions: float
    fewest_captions: int
    most_captions: int
    captions_each: np.ndarray = field(repr=False, compare=False)


def count_captions(pictures: int, captions: list[int]) -> PictureFacts:
    """Returns the facts of pictures.

    Args:
        pictures: the number of different files.
        captions: the number of captions of each example.
    """
    each = np.array(captions, np.int32)
    return PictureFacts(
        pictures=pictures,
        captions=int(each.sum(dtype=np.int64)),
        mean_captions=float(each.sum(dtype=np.int64) / max(pictures, 1)),
        fewest_captions=int(each.min()) if len(each) else 0,
        most_captions=int(each.max(initial=0)),
        captions_each=each,
    )
