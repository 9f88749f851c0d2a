"""How well, and how fast, a model transcribes recordings of which one knows what is said."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kerasseq.applications.speech_recognition.use import Transcript, transcribe_sounds
from kerasseq.data import SoundCorpus
from kerasseq.data.corpus import Problems
from kerasseq.data.folder import nothing_left
from kerasseq.media.sound import SoundError
from kerasseq.metrics.speech import character_errors, interval, word_errors
from kerasseq.models import Options, SequenceModel

LENGTHS = ((1, 1), (2, 4), (5, 8), (9, None))
"""Words of a recording, at least and at most, for which errors are told apart."""


@dataclass(frozen=True)
class Rate:
    """An error rate in percent, over `units` words or characters, with its 95 % interval."""

    name: str
    value: float
    low: float
    high: float
    units: int

    @classmethod
    def of(cls, name: str, errors: np.ndarray) -> "Rate":
        """The rate of (N, 2) errors and units."""
        made, units = map(int, errors.sum(axis=0))
        return cls(name, 100 * made / max(units, 1), *interval(errors), units)

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f}  ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        texts, references: of every recording, normalised.
        rates: WER and CER over all.
        by_length: WER over recordings of some numbers of words; see `LENGTHS`.
        seconds: of sound.
        took: seconds of transcribing, the reading of files and compilation included.
        problems: recordings that were left out.
    """

    texts: list[str]
    references: list[str]
    rates: list[Rate]
    by_length: list[Rate]
    seconds: float
    took: float
    problems: Problems

    @property
    def real_time_factor(self) -> float:
        """Seconds of work per second of sound."""
        return self.took / self.seconds


def evaluate(
    model: SequenceModel,
    corpus: SoundCorpus,
    options: Options | None = None,
    batch_size: int = 16,
    progress: Callable[[int], object] = lambda recordings: None,
) -> Evaluation:
    """Transcribe a corpus, and compare with what is said in it.

    Args:
        options: how to decode; by default as the model was measured.
        batch_size: recordings that are decoded together.
        progress: called with 1 for each recording.

    Raises:
        UserError: there is no recording that can be used.
    """
    problems, said = Problems(), []

    def sounds() -> Iterator[tuple[Transcript, np.ndarray]]:
        rate = model.preprocessor.rate
        with corpus.reader(rate) as read:
            for recording in corpus:
                try:
                    samples = read(recording)
                except SoundError as error:
                    problems.add(recording.place, recording.line, error.kind, recording.path)
                    continue
                said.append(recording.text)
                yield Transcript(recording.path, seconds=len(samples) / rate), samples

    start = time.perf_counter()
    heard = []
    for transcript in transcribe_sounds(model, sounds(), options, batch_size=batch_size):
        heard.append(transcript)
        progress(1)
    took = time.perf_counter() - start
    problems.merge(corpus.problems)
    if not heard:
        raise nothing_left("recording", problems, "measure")
    texts = model.preprocessor.normalize([one.text for one in heard])
    references = model.preprocessor.normalize(said)
    words = word_errors(texts, references)
    rates = [Rate.of("WER", words), Rate.of("CER", character_errors(texts, references))]
    seconds = sum(one.seconds for one in heard)
    return Evaluation(texts, references, rates, _by_length(words), seconds, took, problems)


def _by_length(words: np.ndarray) -> list[Rate]:
    found = []
    for least, most in LENGTHS:
        kept = (words[:, 1] >= least) & (words[:, 1] <= (most or np.inf))
        name = f"{least} and more" if most is None else f"{least} to {most}"
        if kept.any():
            found.append(Rate.of(str(least) if least == most else name, words[kept]))
    return found
