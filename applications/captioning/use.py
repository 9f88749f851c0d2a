"""Files of pictures and clips to captions, and what cannot be read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kerasseq.data.folder import groups, mapped
from kerasseq.errors import UserError
from kerasseq.media.picture import read_picture
from kerasseq.models import Options, Seq2Seq
from kerasseq.models.base import check_many
from kerasseq.models.batching import check_call

TOGETHER = 8
"""Batches that are held in memory together."""


@dataclass(frozen=True)
class Caption:
    """What was written of a file.

    Attributes:
        file: its path.
        text: the caption.
        error: why there is none.
    """

    file: str
    text: str = ""
    error: str = ""


def caption(
    model: Seq2Seq, files: Iterable[str], options: Options | None = None, *, batch_size: int = 32
) -> Iterator[Caption]:
    """A caption of each file, in order; files that cannot be read have an error in theirs.

    Threads read files while the model writes.

    Args:
        model: a captioner.
        files: paths of pictures or clips.
        options: how to decode; by default as the model was measured.
        batch_size: pictures that are written of together.
    """
    check_many(files, "files")
    check_call(batch_size, None)
    preprocessor = model.preprocessor

    def read(file: str) -> np.ndarray | str:
        try:
            return read_picture(file, preprocessor.size, preprocessor.frames)
        except UserError as error:
            return str(error)

    for some in groups(mapped(read, files, None), TOGETHER * batch_size):
        clips = [clip for _, clip in some if not isinstance(clip, str)]
        texts = iter(written(model, clips, options, batch_size))
        for file, clip in some:
            if isinstance(clip, str):
                yield Caption(file, error=clip)
            else:
                yield Caption(file, next(texts))


def written(
    model: Seq2Seq, clips: Sequence[np.ndarray], options: Options | None, batch_size: int
) -> list[str]:
    """A caption of each clip; without XLA, which takes longer to compile than most folders take."""
    return model.generate(clips, options, batch_size=batch_size, jit=False) if clips else []
