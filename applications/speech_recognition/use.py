"""Files of sound to transcripts: long recordings, folders, and what cannot be read."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerasseq.errors import UserError
from kerasseq.media.silence import cut_at_silences
from kerasseq.media.sound import read_sound
from kerasseq.models import Hypothesis, Options, SequenceModel, Word
from kerasseq.models.base import check_many
from kerasseq.models.batching import check_call

PART = 20.0
"""Seconds of a recording that are transcribed at once, at most; longer ones are cut."""

STRETCH = 1.5
"""How many times as long as any that the model was trained on a recording may be and stay whole."""

SILENCE = 4
"""The loudest sample of what is not transcribed: digital silence, dithered at most."""

TOGETHER = 320.0
"""Seconds of all recordings that are held in memory together."""


@dataclass(frozen=True)
class Transcript:
    """What was heard in a file.

    Attributes:
        file: its path.
        text: the whole text.
        seconds: the length of the recording.
        words: with their times, where they are wanted.
        error: why there is no text.
    """

    file: str
    text: str = ""
    seconds: float = 0.0
    words: tuple[Word, ...] = ()
    error: str = ""


def transcribe(
    model: SequenceModel,
    files: Iterable[str],
    options: Options | None = None,
    *,
    words: bool = False,
    batch_size: int = 16,
) -> Iterator[Transcript]:
    """A transcript of each file, in order; files that cannot be read have an error in theirs.

    Recordings of more than 20 s, or much longer than any that the model was trained on, are cut at
    silences, and their texts put together.

    Args:
        model: a speech recogniser.
        files: paths of sound files.
        options: how to decode.
        words: whether to find out when each word was said.
        batch_size: parts that are decoded together.
    """
    check_many(files, "files")
    check_call(batch_size, None)
    return transcribe_sounds(
        model, _read(files, model.preprocessor.rate), options, words, batch_size
    )


def _read(files: Iterable[str], rate: int) -> Iterator[tuple[Transcript, np.ndarray]]:
    for file in files:
        try:
            samples = read_sound(file, rate)
            yield Transcript(file, seconds=round(len(samples) / rate, 3)), samples
        except UserError as error:
            yield Transcript(file, error=str(error)), np.zeros(0, np.int16)


def transcribe_sounds(
    model: SequenceModel,
    sounds: Iterable[tuple[Transcript, np.ndarray]],
    options: Options | None = None,
    words: bool = False,
    batch_size: int = 16,
) -> Iterator[Transcript]:
    """As `transcribe`, of samples at the model's rate, each with its transcript without text."""
    waiting: list[tuple[Transcript, np.ndarray]] = []
    held = 0.0
    for one in sounds:
        waiting.append(one)
        held += one[0].seconds
        if held >= TOGETHER:
            yield from _heard(model, waiting, options, words, batch_size)
            waiting, held = [], 0.0
    yield from _heard(model, waiting, options, words, batch_size)


def _heard(model, waiting, options, words, batch_size) -> Iterator[Transcript]:
    rate = model.preprocessor.rate
    trained = model.card.get("longest", PART)
    most = min(PART, STRETCH * trained, model.preprocessor.max_seconds)
    spans = [
        [] if transcript.error else cut_at_silences(samples, rate, most, most / 4)
        for transcript, samples in waiting
    ]
    parts = [
        samples[start:end]
        for (_, samples), cuts in zip(waiting, spans, strict=True)
        for start, end in cuts
    ]
    loud = [_is_loud(part) for part in parts]
    # Without XLA, which would compile for every length that comes.
    more = {"batch_size": batch_size, "jit": False}
    to_hear = list(itertools.compress(parts, loud))
    heard = iter(model.hypotheses(to_hear, options, **more) if to_hear else ())
    found = iter([next(heard) if is_loud else [] for is_loud in loud])
    for (transcript, samples), cuts in zip(waiting, spans, strict=True):
        best = [next(found) for _ in cuts]
        yield _stitched(model, transcript, samples, cuts, [some[:1] for some in best], words)


def _is_loud(samples: np.ndarray) -> bool:
    return len(samples) > 0 and max(-int(samples.min()), int(samples.max())) > SILENCE


def _stitched(
    model: SequenceModel,
    transcript: Transcript,
    samples: np.ndarray,
    cuts: Sequence[tuple[int, int]],
    found: Sequence[list[Hypothesis]],
    words: bool,
) -> Transcript:
    texts = [one.text.strip() for some in found for one in some]
    said: list[Word] = []
    for (start, end), some in zip(cuts, found, strict=True):
        for one in some if words else ():
            offset = start / model.preprocessor.rate
            for word in model.words(samples[start:end], one):
                times = {"start": word.start + offset, "end": word.end + offset}
                said.append(replace(word, **{k: round(v, 3) for k, v in times.items()}))
    return replace(transcript, text=" ".join(filter(None, texts)), words=tuple(said))
