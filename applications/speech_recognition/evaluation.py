"""How well, and how fast, a model transcribes recordings whose transcripts are known."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasseq.applications.common import evaluation
from kerasseq.applications.speech_recognition.use import Transcript, transcribe_sounds
from kerasseq.data import RecordingCorpus, SoundCorpus
from kerasseq.data.problems import Problems
from kerasseq.data.public import datasets
from kerasseq.media.sound import SoundError
from kerasseq.metrics.speech import bootstrap_interval, count_character_errors, count_word_errors
from kerasseq.models import Options, SequenceModel

LENGTHS = ((1, 1), (2, 4), (5, 8), (9, None))
"""The least and the greatest number of words of recordings whose errors are counted together."""


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
        """Returns the rate of (N, 2) errors and units."""
        made, units = map(int, errors.sum(axis=0))
        return cls(name, 100 * made / max(units, 1), *bootstrap_interval(errors), units)

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f}  ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Evaluation(evaluation.Evaluation):
    """The transcripts of recordings, with WER and CER over all.

    Attributes:
        by_length: WER over recordings of some numbers of words; see `LENGTHS`.
        seconds: of sound.
        took: seconds of reading files, transcribing and compilation.
    """

    examples = "recordings"

    by_length: list[Rate]
    seconds: float
    took: float

    @property
    def real_time_factor(self) -> float:
        """Seconds of work per second of sound."""
        return self.took / self.seconds

    def to_dict(self) -> dict[str, Any]:
        speed = {name: round(getattr(self, name), 2) for name in ("seconds", "took")}
        rates = {"rates": self.scores, "by_length": self.by_length}
        rows = {name: [vars(rate) for rate in some] for name, some in rates.items()}
        return {"recordings": len(self.texts), **speed, **rows}

    def __str__(self) -> str:
        lines = [f"{len(self.texts):,} recordings, {self.seconds / 60:.1f} minutes"]
        lines += [*map(str, self.scores), "WER of recordings of"]
        for rate in self.by_length:
            name = f"{rate.name} word" + "s" * (rate.name != "1")
            lines.append(f"  {name:<16} {rate.value:6.2f}  of {rate.units:,} words")
        lines.append(
            f"real-time factor {self.real_time_factor:.3f} "
            f"({self.took:.1f} s, of which some are the first batches' compilation)"
        )
        return "\n".join(lines)


def read_corpus(
    model: SequenceModel,
    files: Sequence[str],
    dataset: str | None = None,
    data_dir: str | None = None,
) -> SoundCorpus:
    """Returns the recordings of lists, or the test part of a data set."""
    return datasets.recordings(dataset, data_dir)["test"] if dataset else RecordingCorpus(files)


def evaluate(
    model: SequenceModel,
    corpus: SoundCorpus,
    options: Options | None = None,
    batch_size: int = 16,
    progress: Callable[[int], object] = lambda recordings: None,
) -> Evaluation:
    """Transcribes a corpus and compares the texts with the references.

    Args:
        options: how to decode; by default as the model was measured.
        batch_size: recordings that are decoded together.
        progress: called with 1 for each recording.

    Raises:
        UserError: no recording can be used.
    """
    problems, references = Problems(), []

    def read_sounds() -> Iterator[tuple[Transcript, np.ndarray]]:
        rate = model.preprocessor.rate
        with corpus.reader(rate) as read:
            for recording in corpus:
                try:
                    samples = read(recording)
                except SoundError as error:
                    problems.add(recording.place, recording.line, error.kind, recording.path)
                    continue
                references.append(recording.text)
                yield Transcript(recording.path, seconds=len(samples) / rate), samples

    start = time.perf_counter()
    transcripts = []
    for transcript in transcribe_sounds(model, read_sounds(), options, batch_size=batch_size):
        transcripts.append(transcript)
        progress(1)
    took = time.perf_counter() - start
    problems.merge(corpus.problems)
    if not transcripts:
        raise problems.to_error("recording", "measure")
    texts = model.preprocessor.normalize([one.text for one in transcripts])
    references = model.preprocessor.normalize(references)
    words = count_word_errors(texts, references)
    rates = [Rate.of("WER", words), Rate.of("CER", count_character_errors(texts, references))]
    seconds = sum(one.seconds for one in transcripts)
    return Evaluation(texts, rates, problems, _rates_by_length(words), seconds, took)


def _rates_by_length(words: np.ndarray) -> list[Rate]:
    rates = []
    for least, most in LENGTHS:
        chosen = (words[:, 1] >= least) & (words[:, 1] <= (most or np.inf))
        name = f"{least} and more" if most is None else f"{least} to {most}"
        if chosen.any():
            rates.append(Rate.of(str(least) if least == most else name, words[chosen]))
    return rates
