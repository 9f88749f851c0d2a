"""`kerasseq transcribe`, and `kerasseq evaluate` of models that hear."""

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Any

from kerasseq.cli import decoding, files
from kerasseq.cli.models import measured, must_read, test_part
from kerasseq.errors import UserError
from kerasseq.printable import printable, printable_json

_PIECE = 3200
"""Bytes of raw sound that are read at a time."""

_HEADERS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b".snd", b"caff")
"""How sound files begin."""


def add_commands(commands: Any) -> None:
    """Add `transcribe` to the command line."""
    add = commands.add_parser(
        "transcribe",
        help="write what is said in recordings",
        description="Write what is said in recordings, a line for each file. Files that cannot "
        "be read are named at the end.",
    )
    files.add_files(
        add,
        "wav, flac, ogg, opus, mp3, m4a, webm, ..., or a folder of such; - for raw 16-bit samples "
        "at the model's rate on standard input, written as they come",
        16,
    )
    add.add_argument("--json", action="store_true", help="an object a line, with words and times")
    add.add_argument("--srt", action="store_true", help="subtitles of one file")
    decoding.add(add, "beam", "lm_weight", "ctc_weight", "length_bonus")
    add.set_defaults(run=_transcribe)


def evaluate(model: Any, options: argparse.Namespace, output: Callable) -> int:
    """Error rates of a model on recordings of which one knows what is said.

    Args:
        output: opens a file to write to, given its name and those that are read.

    Returns:
        The exit status: 1 if some were left out.
    """
    from kerasseq.applications.speech_recognition.evaluation import evaluate as evaluated
    from kerasseq.data import RecordingCorpus
    from kerasseq.data.public import datasets

    corpus = test_part(options, datasets.recordings, RecordingCorpus)
    how, size = model.options(**decoding.given(options)), options.batch_size
    found = measured(
        options, output, "recordings", lambda done: evaluated(model, corpus, how, size, done)
    )
    speed = {"seconds": found.seconds, "took": found.took}
    speed = {name: round(value, 2) for name, value in speed.items()}
    status = 1 if len(found.problems) else 0
    if options.json:
        row = {"recordings": len(found.texts), **speed}
        for name in ("rates", "by_length"):
            row[name] = [vars(rate) for rate in getattr(found, name)]
        print(printable_json(row))
        return status
    print(f"{len(found.texts):,} recordings, {found.seconds / 60:.1f} minutes")
    print(*found.rates, sep="\n")
    print("WER of recordings of")
    for rate in found.by_length:
        print(f"  {rate.name + ' words':<16} {rate.value:6.2f}  of {rate.units:,} words")
    print(
        f"real-time factor {found.real_time_factor:.3f} "
        f"({found.took:.1f} s, of which some are the first batches' compilation)"
    )
    return status


def _transcribe(options: argparse.Namespace) -> int:
    if options.json and options.srt:
        raise UserError("Choose --json or --srt.")
    if options.file == ["-"] and not options.input:
        _stream(options)
        return 0
    files.check(options)
    from kerasseq import load
    from kerasseq.applications.speech_recognition.use import transcribe
    from kerasseq.media.endings import SOUNDS

    paths, left_out = files.named(options, SOUNDS, "sound file")
    if options.srt and len(paths) != 1:
        raise UserError(f"--srt is for one recording, and these are {len(paths)}.")
    model = load(options.model)
    must_read(model, options.model, "sound")
    found = transcribe(
        model,
        paths,
        model.options(**decoding.given(options)),
        words=options.json or options.srt,
        batch_size=options.batch_size,
    )
    return files.written(files.shown(found, len(paths)), _line(options)) or left_out


def _line(options: argparse.Namespace) -> Callable[[Any], str]:
    if options.srt:
        return lambda one: _subtitles(one.words)
    if options.json:
        return lambda one: files.as_json(one, seconds=one.seconds, words=_words(one))
    return lambda one: printable(one.text)


def _words(one: Any) -> list[dict]:
    return [vars(word) for word in one.words]


def _subtitles(words: Iterable[Any], most: float = 4.0, pause: float = 0.8) -> str:
    """Lines of at most 42 characters and four seconds, cut at pauses."""
    lines: list[list] = []
    for word in words:
        line = lines[-1] if lines else None
        if (
            line is None
            or word.start - line[-1].end > pause
            or word.end - line[0].start > most
            or len(" ".join(w.text for w in line)) + len(word.text) >= 42
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


def _stream(options: argparse.Namespace) -> None:
    import numpy as np

    from kerasseq import load
    from kerasseq.models.stream import Stream

    searching = [decoding.spelt(name) for name in decoding.given(options)]
    for given, name in ((options.srt, "--srt"), (options.batch_size, "--batch-size")):
        searching += [name] * bool(given)
    if searching:
        # Of a stream's text nothing is taken back, so no other text can be searched for.
        raise UserError(f"{searching[0]} is for files: a stream is written greedily, as it comes.")
    model = load(options.model)
    must_read(model, options.model, "sound")
    stream = Stream(model)
    show, odd, heard = _Partial(options.json), b"", 0
    while piece := sys.stdin.buffer.read1(_PIECE):
        if not heard and (odd + piece).startswith(_HEADERS):
            raise UserError(
                "Standard input is a sound file, not raw samples: name the file, or write raw "
                f"16-bit samples at {model.preprocessor.rate:,} Hz to it."
            )
        piece = odd + piece
        whole = len(piece) // 2 * 2
        piece, odd = piece[:whole], piece[whole:]
        heard += whole // 2
        show(stream.push(np.frombuffer(piece, "<i2")), heard / model.preprocessor.rate)
    show(stream.finish(), heard / model.preprocessor.rate, True)


class _Partial:
    """Writes what is new of a text that grows; in JSON the whole text whenever it has grown."""

    def __init__(self, as_json: bool):
        self._json, self._text = as_json, ""

    def __call__(self, text: str, seconds: float, last: bool = False) -> None:
        if self._json and (last or text != self._text):
            row = {"text": text, "seconds": round(seconds, 2), "final": last}
            print(printable_json(row), flush=True)
        elif not self._json:
            print(printable(text[len(self._text) :]), end="\n" if last else "", flush=True)
        self._text = text
