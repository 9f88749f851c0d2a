"""Transcripts as subtitles."""

from collections.abc import Iterable

from kerasseq.models import Word

MOST_CHARACTERS = 42
"""Of a line."""

MOST_SECONDS = 4.0
"""That a line is shown."""

PAUSE = 0.8
"""Seconds of silence that end a line."""


def to_srt(words: Iterable[Word]) -> str:
    """Returns subtitles in the format SubRip.

    Example:

    >>> from kerasseq.applications.speech_recognition.subtitles import to_srt
    >>> from kerasseq.models import Word
    >>> times = {"good": (0.1, 0.4), "morning": (0.5, 1.0), "all": (2.0, 2.3)}
    >>> print(to_srt([Word(text, *span, confidence=1.0) for text, span in times.items()]))
    1
    00:00:00,100 --> 00:00:01,000
    good morning
    <BLANKLINE>
    2
    00:00:02,000 --> 00:00:02,300
    all
    """
    lines: list[list[Word]] = []
    for word in words:
        line = lines[-1] if lines else None
        if (
            line is None
            or word.start - line[-1].end > PAUSE
            or word.end - line[0].start > MOST_SECONDS
            or len(" ".join(one.text for one in line)) + len(word.text) >= MOST_CHARACTERS
        ):
            lines.append([])
        lines[-1].append(word)
    blocks = [
        f"{number}\n{_clock(line[0].start)} --> {_clock(line[-1].end)}\n"
        + " ".join(word.text for word in line)
        for number, line in enumerate(lines, 1)
    ]
    return "\n\n".join(blocks)


def _clock(seconds: float) -> str:
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02},{milliseconds % 1000:03}"
