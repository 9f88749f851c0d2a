"""How well, and how fast, a model captions pictures of which one knows what is said."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kerasseq.applications.captioning.use import TOGETHER, written
from kerasseq.data.corpus import Problems
from kerasseq.data.folder import groups, mapped, nothing_left
from kerasseq.data.pictures.captioned import Captioned, CaptionedCorpus
from kerasseq.errors import FileError
from kerasseq.metrics import Score, caption_scores
from kerasseq.models import Options, Seq2Seq


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        texts, references: of every picture, normalised.
        scores: those of `caption_scores`, and the captions that are one of the references.
        took: seconds, the reading of files and compilation included.
        problems: pictures that were left out.
    """

    texts: list[str]
    references: list[list[str]]
    scores: list[Score]
    took: float
    problems: Problems


def compared(texts: list[str], references: list[list[str]]) -> list[Score]:
    """The scores of captions, all normalised as the model's training captions were."""
    equal = [text in some for text, some in zip(texts, references, strict=True)]
    scores = list(caption_scores(texts, references).values())
    return [*scores, Score("exact match", 100 * float(np.mean(equal)))]


def evaluate(
    model: Seq2Seq,
    corpus: CaptionedCorpus,
    options: Options | None = None,
    batch_size: int = 32,
    progress: Callable[[int], object] = lambda pictures: None,
) -> Evaluation:
    """Caption the pictures of a corpus, and compare with what is said of them.

    Args:
        options: how to decode; by default as the model was measured.
        batch_size: pictures that are written of together.
        progress: called with how many pictures more are done.

    Raises:
        UserError: there is no picture that can be used.
    """
    preprocessor, problems = model.preprocessor, Problems()
    texts: list[str] = []
    references: list[list[str]] = []
    start = time.perf_counter()
    with corpus.reader(preprocessor.size, preprocessor.frames) as read:

        def clip(picture: Captioned) -> np.ndarray | FileError:
            try:
                return read(picture)
            except FileError as error:
                return error

        for some in groups(mapped(clip, corpus, None), TOGETHER * batch_size):
            clips = []
            for picture, found in some:
                if isinstance(found, FileError):
                    problems.add(picture.place, picture.line, found.kind, picture.path)
                else:
                    clips.append(found)
                    references.append(preprocessor.normalize(list(picture.texts)))
            texts += preprocessor.normalize(written(model, clips, options, batch_size))
            progress(len(some))
    took = time.perf_counter() - start
    problems.merge(corpus.problems)
    if not texts:
        raise nothing_left("picture", problems, "measure")
    return Evaluation(texts, references, compared(texts, references), took, problems)
