"""How well, and how fast, a model captions pictures whose captions are known."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasseq.applications.captioning.use import TOGETHER, caption_clips
from kerasseq.applications.common import evaluation
from kerasseq.data.parallel import batched, map_in_threads
from kerasseq.data.pictures.captioned import Captioned, CaptionedCorpus
from kerasseq.data.pictures.lists import PictureCorpus
from kerasseq.data.pictures.store import PictureStore
from kerasseq.data.problems import Problems
from kerasseq.data.public import datasets
from kerasseq.errors import FileError
from kerasseq.metrics import Score, caption_scores
from kerasseq.models import Options, Seq2Seq


@dataclass(frozen=True)
class Evaluation(evaluation.Evaluation):
    """The captions of pictures, with the scores of `caption_scores` and exact matches.

    Attributes:
        took: seconds of reading files, captioning and compilation.
    """

    examples = "pictures"

    took: float

    def to_dict(self) -> dict[str, Any]:
        scores = {score.name: score.value for score in self.scores}
        return {"pictures": len(self.texts), "took": round(self.took, 2), "scores": scores}

    def __str__(self) -> str:
        count, rate = len(self.texts), len(self.texts) / self.took
        speed = f"{count:,} pictures in {self.took:.1f} s, {rate:.0f} a second"
        return "\n".join([speed, *map(str, self.scores)])


def read_corpus(
    model: Seq2Seq, files: Sequence[str], dataset: str | None = None, data_dir: str | None = None
) -> CaptionedCorpus:
    """Returns the pictures of lists, or the test part of a data set."""
    return datasets.pictures(dataset, data_dir)["test"] if dataset else PictureCorpus(files)


def _compare(texts: list[str], references: list[list[str]]) -> list[Score]:
    """Returns the scores of captions, all normalised as the model's training captions were."""
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
    """Captions the pictures of a corpus and compares the captions with the references.

    Args:
        options: how to decode; by default as the model was measured.
        batch_size: pictures that are captioned together.
        progress: called with the number of further pictures that are done.

    Raises:
        UserError: no picture can be used.
    """
    preprocessor, problems = model.preprocessor, Problems()
    texts: list[str] = []
    references: list[list[str]] = []
    start = time.perf_counter()
    with corpus.reader(preprocessor.size, preprocessor.frames) as read:

        def read_or_fail(picture: Captioned) -> np.ndarray | FileError:
            try:
                return read(picture)
            except FileError as error:
                return error

        for group in batched(map_in_threads(read_or_fail, corpus), TOGETHER * batch_size):
            clips = []
            for picture, clip in group:
                if isinstance(clip, FileError):
                    problems.add(picture.place, picture.line, clip.kind, picture.path)
                else:
                    clips.append(clip)
                    references.append(preprocessor.normalize(list(picture.texts)))
            texts += preprocessor.normalize(caption_clips(model, clips, options, batch_size))
            progress(len(group))
    took = time.perf_counter() - start
    problems.merge(corpus.problems)
    if not texts:
        raise problems.to_error("picture", "measure")
    return Evaluation(texts, _compare(texts, references), problems, took)


class _StoredPictures:
    """A preprocessor whose raw inputs are places in a store."""

    def __init__(self, store: PictureStore):
        self.store = store
        self._preprocessor = store.preprocessor

    def features(self, places: Sequence[int]) -> dict[str, np.ndarray]:
        """Returns the features of pictures; see `PictureStore.features`."""
        return self.store.features(np.asarray(places))

    def padded_length(self, steps: int, side: str = "source") -> int:
        """Leaves the steps of a source as they are: in a store nearly all have as many."""
        return steps if side == "source" else self._preprocessor.padded_length(steps, side)

    def detokenize(self, ids: np.ndarray) -> list[str]:
        """Returns the text of each row of ids."""
        return self._preprocessor.detokenize(ids)


def read_from_store(model: Seq2Seq, store: PictureStore) -> Seq2Seq:
    """Returns a model with the same weights, whose `generate` takes places in a store."""
    other = Seq2Seq(None, model.encoder, model.decoder, card=model.card)
    other.preprocessor = _StoredPictures(store)
    return other
