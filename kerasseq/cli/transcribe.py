"""`kerasseq transcribe`."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from kerasseq.cli.files import add_files, find_files, print_results, result_to_json
from kerasseq.cli.options import add_decoding, collect_decoding, load_reader, spell_option
from kerasseq.errors import UserError
from kerasseq.printable import dump_json, escape


def add_command(commands: Any) -> None:
    """Adds `transcribe` to the command line."""
    add = commands.add_parser(
        "transcribe",
        help="write what is said in recordings",
        description="Write what is said in recordings, a line for each file. Files that cannot "
        "be read are named at the end.",
    )
    add_files(
        add,
        "wav, flac, ogg, opus, mp3, m4a, webm, ..., or a folder of such; - for raw 16-bit samples "
        "at the model's rate on standard input, written as they come",
        16,
    )
    add.add_argument("--json", action="store_true", help="an object a line, with words and times")
    add.add_argument("--srt", action="store_true", help="subtitles of one file")
    add_decoding(add, "beam", "lm_weight", "ctc_weight", "length_bonus")
    add.set_defaults(run=_transcribe)


def _transcribe(options: argparse.Namespace) -> int:
    if options.json and options.srt:
        raise UserError("Choose --json or --srt.")
    if options.file == ["-"] and not options.input:
        return _stream(options)
    from kerasseq.media.endings import SOUNDS

    files, status = find_files(options, SOUNDS, "sound file")
    if options.srt and len(files) != 1:
        raise UserError(f"--srt is for one recording, and these are {len(files)}.")
    model = load_reader(options.model, "sound")
    from kerasseq.applications.speech_recognition.use import transcribe

    transcripts = transcribe(
        model,
        files,
        model.options(**collect_decoding(options)),
        words=options.json or options.srt,
        batch_size=options.batch_size,
    )
    strange: list[Any] = []
    line = _line_maker(options)

    def note(one: Any) -> str:
        if one.known is False:
            strange.append(one)
        return line(one)

    status = print_results(transcripts, len(files), note) or status
    if strange:
        print(_describe_strange(strange, model.calibration().least), file=sys.stderr)
    return status


def _describe_strange(transcripts: list[Any], least: float) -> str:
    """Returns a sentence on recordings that the model does not know."""
    names = [f"{escape(one.file)} ({one.confidence:.2f})" for one in transcripts[:3]]
    more = f" and {len(transcripts) - 3} more" * (len(transcripts) > 3)
    return (
        f"This model does not know such speech, and its text may be wrong: {', '.join(names)}{more}"
        f"; on 99 % of its validation recordings its confidence is {least:.2f} or more."
    )


def _line_maker(options: argparse.Namespace) -> Callable[[Any], str]:
    if options.srt:
        from kerasseq.applications.speech_recognition.subtitles import to_srt

        return lambda one: to_srt(one.words)
    if options.json:
        return lambda one: result_to_json(
            one,
            seconds=one.seconds,
            confidence=one.confidence,
            known=one.known,
            words=[vars(word) for word in one.words],
        )
    return lambda one: escape(one.text)


def _stream(options: argparse.Namespace) -> int:
    for_files = [spell_option(name) for name in collect_decoding(options)]
    for given, name in ((options.srt, "--srt"), (options.batch_size, "--batch-size")):
        for_files += [name] * bool(given)
    if for_files:
        # The text of a stream is never revised, so no better text can be searched for.
        raise UserError(f"{for_files[0]} is for files: a stream is written greedily, as it comes.")
    model = load_reader(options.model, "sound")
    from kerasseq.applications.speech_recognition.use import transcribe_stream

    before = ""
    for text, seconds, last in transcribe_stream(model, sys.stdin.buffer):
        if options.json and (last or text != before):
            row = {"text": text, "seconds": round(seconds, 2), "final": last}
            print(dump_json(row), flush=True)
        elif not options.json:
            print(escape(text[len(before) :]), end="\n" if last else "", flush=True)
        before = text
    return 0
