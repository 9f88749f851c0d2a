"""Files of pictures and clips to captions, and what cannot be read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kerasseq.data.parallel import batched, map_in_threads
from kerasseq.errors import UserError
from kerasseq.media.picture import read_picture
from kerasseq.models import Options, Seq2Seq
from kerasseq.models.batching import check_call
from kerasseq.models.inputs import check_many

TOGETHER = 8
"""Batches that are held in memory together."""


@dataclass(frozen=True)
class Caption:
    """The caption of a file.

    Attributes:
        file: the path.
        text: the caption.
        error: why there is none.
    """

    file: str
    text: str = ""
    error: str = ""


def caption(
    model: Seq2Seq, files: Iterable[str], options: Options | None = None, *, batch_size: int = 32
) -> Iterator[Caption]:
    """Yields a caption of each file, in order; the caption of a file that cannot be read has an
    error instead of a text.

    Threads read files while the model writes.

    Args:
        model: a captioner.
        files: paths of pictures or clips.
        options: how to decode; by default as the model was measured.
        batch_size: pictures that are captioned together.
    """
    check_many(files, "files")
    check_call(batch_size, None)

    def read_or_fail(file: str) -> np.ndarray | str:
        try:
            return read_clip(model, file)
        except UserError as error:
            return str(error)

    for group in batched(map_in_threads(read_or_fail, files), TOGETHER * batch_size):
        clips = [clip for _, clip in group if not isinstance(clip, str)]
        texts = iter(caption_clips(model, clips, options, batch_size))
        for file, clip in group:
            if isinstance(clip, str):
                yield Caption(file, error=clip)
            else:
                yield Caption(file, next(texts))


def read_clip(model: Seq2Seq, file: str) -> np.ndarray:
    """Reads a picture or clip as a model wants it: (F, H, W, 3) uint8.

    Raises:
        UserError: the file cannot be read.
    """
    return read_picture(file, model.preprocessor.size, model.preprocessor.frames)


def caption_clips(
    model: Seq2Seq, clips: Sequence[np.ndarray], options: Options | None, batch_size: int
) -> list[str]:
    """Returns a caption of each clip.

    XLA is off: its compilation takes longer than most folders.
    """
    return model.generate(clips, options, batch_size=batch_size, jit=False) if clips else []
