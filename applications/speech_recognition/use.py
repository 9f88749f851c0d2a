"""Sound to transcripts: files, long recordings and streams."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from kerasseq.errors import UserError
from kerasseq.media.silence import split_at_silences
from kerasseq.media.sound import read_sound
from kerasseq.models import Hypothesis, Options, SequenceModel, Word
from kerasseq.models.batching import check_call
from kerasseq.models.confidence import geometric_mean
from kerasseq.models.inputs import check_many
from kerasseq.models.stream import Stream

PART = 20.0
"""The longest part of a recording that is transcribed at once, in seconds."""

STRETCH = 1.5
"""A recording is cut if it is this many times as long as any that the model was trained on."""

SILENCE = 4
"""The loudest sample of a part that is not transcribed: digital silence, perhaps dithered."""

TOGETHER = 320.0
"""The seconds of recordings that are held in memory together."""


_PIECE = 3200
"""Bytes of raw sound that are read at a time."""

_HEADERS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b".snd", b"caff")
"""How sound files begin."""


@dataclass(frozen=True)
class Transcript:
    """The transcript of a file.

    Attributes:
        file: the path.
        text: the whole text.
        seconds: the length of the recording.
        words: the words with their times, if they are asked for.
        confidence: the geometric mean of the probabilities of its units, from 0 to 1; None
            without units.
        known: whether the model knows such speech; None if that is not measured. See
            `kerasseq.models.confidence.Calibration`.
        error: why there is no text.
    """

    file: str
    text: str = ""
    seconds: float = 0.0
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    known: bool | None = None
    error: str = ""


def transcribe(
    model: SequenceModel,
    files: Iterable[str],
    options: Options | None = None,
    *,
    words: bool = False,
    batch_size: int = 16,
) -> Iterator[Transcript]:
    """Yields a transcript of each file, in order; the transcript of a file that cannot be read has
    an error instead of a text.

    Recordings of more than 20 s, or much longer than any that the model was trained on, are cut at
    silences, and their texts are joined.

    Args:
        model: a speech recogniser.
        files: paths of sound files.
        options: how to decode.
        words: whether to find out when each word is said.
        batch_size: parts that are decoded together.
    """
    check_many(files, "files")
    check_call(batch_size, None)
    sounds = _read_files(files, model.preprocessor.rate)
    return transcribe_sounds(model, sounds, options, words, batch_size, judge=True)


def transcribe_stream(model: SequenceModel, stream: BinaryIO) -> Iterator[tuple[str, float, bool]]:
    """Transcribes raw 16-bit samples at the model's rate while they come.

    Args:
        model: a transducer that streams; see `kerasseq.models.stream.Stream`.
        stream: little-endian samples; it has a `read1`, as `sys.stdin.buffer` has.

    Yields:
        The text so far, the seconds of sound so far, and whether that is the end.

    Raises:
        UserError: the model cannot stream, or the stream is a sound file.
    """
    transcriber, rate = Stream(model), model.preprocessor.rate
    rest, samples = b"", 0
    while piece := stream.read1(_PIECE):
        piece = rest + piece
        if not samples and piece.startswith(_HEADERS):
            raise UserError(
                "Standard input is a sound file, not raw samples: name the file, or write raw "
                f"16-bit samples at {rate:,} Hz to it."
            )
        whole = len(piece) // 2 * 2
        piece, rest = piece[:whole], piece[whole:]
        samples += whole // 2
        yield transcriber.push(np.frombuffer(piece, "<i2")), samples / rate, False
    yield transcriber.finish(), samples / rate, True


def _read_files(files: Iterable[str], rate: int) -> Iterator[tuple[Transcript, np.ndarray]]:
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
    judge: bool = False,
) -> Iterator[Transcript]:
    """Does what `transcribe` does, for samples at the model's rate.

    Args:
        sounds: the samples, each with its transcript without text.
        judge: whether to find out how sure the model is of each recording.
    """
    waiting: list[tuple[Transcript, np.ndarray]] = []
    seconds = 0.0
    for sound in sounds:
        waiting.append(sound)
        seconds += sound[0].seconds
        if seconds >= TOGETHER:
            yield from _transcribe(model, waiting, options, words, batch_size, judge)
            waiting, seconds = [], 0.0
    yield from _transcribe(model, waiting, options, words, batch_size, judge)


def _transcribe(
    model: SequenceModel,
    sounds: Sequence[tuple[Transcript, np.ndarray]],
    options: Options | None,
    words: bool,
    batch_size: int,
    judge: bool,
) -> Iterator[Transcript]:
    """Cuts sounds at silences, transcribes their parts together, and joins the texts."""
    rate = model.preprocessor.rate
    trained = model.card.get("longest", PART)
    most = min(PART, STRETCH * trained, model.preprocessor.max_seconds)
    cuts = [
        [] if transcript.error else split_at_silences(samples, rate, most, most / 4)
        for transcript, samples in sounds
    ]
    parts = [
        samples[start:end]
        for (_, samples), spans in zip(sounds, cuts, strict=True)
        for start, end in spans
    ]
    loud = [_is_loud(part) for part in parts]
    decoded = list(itertools.compress(parts, loud))
    # Without XLA, which would compile for every length that comes.
    how = {"batch_size": batch_size, "jit": False}
    hypotheses = iter(model.hypotheses(decoded, options, **how) if decoded else ())
    best = iter([next(hypotheses)[:1] if is_loud else [] for is_loud in loud])
    for (transcript, samples), spans in zip(sounds, cuts, strict=True):
        some = [next(best) for _ in spans]
        yield _join(model, transcript, samples, spans, some, words, judge)


def _is_loud(samples: np.ndarray) -> bool:
    return len(samples) > 0 and max(-int(samples.min()), int(samples.max())) > SILENCE


def _join(
    model: SequenceModel,
    transcript: Transcript,
    samples: np.ndarray,
    spans: Sequence[tuple[int, int]],
    hypotheses: Sequence[list[Hypothesis]],
    words: bool,
    judge: bool,
) -> Transcript:
    """Returns the transcript of a sound, with the text of its parts."""
    texts = [one.text.strip() for some in hypotheses for one in some]
    timed: list[Word] = []
    logs: list[float] = []
    for (start, end), some in zip(spans, hypotheses, strict=True):
        for one in some if words or judge else ():
            sound, offset = samples[start:end], start / model.preprocessor.rate
            frames, log_probs = model.token_alignment(sound, one)
            one = replace(one, frames=tuple(frames), log_probs=tuple(log_probs))
            logs += log_probs
            for word in model.words(sound, one) if words else ():
                times = {"start": word.start + offset, "end": word.end + offset}
                timed.append(replace(word, **{k: round(v, 3) for k, v in times.items()}))
    if logs:
        confidence, calibration = geometric_mean(logs), model.calibration()
        known = calibration.knows(confidence) if calibration.least else None
        transcript = replace(transcript, confidence=round(confidence, 4), known=known)
    return replace(transcript, text=" ".join(filter(None, texts)), words=tuple(timed))
