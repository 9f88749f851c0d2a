"""`kerasseq generate`."""

import argparse
import contextlib
import sys
from typing import Any

from kerasseq.cli.files import TextLines, open_output
from kerasseq.cli.options import DECODING, add_decoding, add_ensemble, add_model, load_ensemble
from kerasseq.errors import UserError
from kerasseq.printable import dump_json, escape


def add_command(commands: Any) -> None:
    """Adds `generate` to the command line."""
    about = "write a text for each text"
    add = commands.add_parser("generate", help=about, description="Write a text for each text.")
    add_model(add)
    add.add_argument("text", nargs="*", metavar="TEXT", help="default: the lines of --input")
    add.add_argument("--input", metavar="FILE", help="a text a line; - for standard input")
    add.add_argument("--output", metavar="FILE", help="default: standard output")
    add.add_argument("--json", action="store_true", help="an object a line, with scores")
    add_decoding(add, *(name for name in DECODING if name != "length_bonus"))
    add_ensemble(add)
    add.set_defaults(run=_generate)


def _generate(options: argparse.Namespace) -> int:
    if options.text and options.input:
        raise UserError("Give texts or --input, not both.")
    if not options.text and not options.input and sys.stdin.isatty():
        raise UserError("Give a text, or --input FILE. --input - reads standard input.")
    from tqdm import tqdm

    hidden = None if options.output is not None and not options.text else True
    with contextlib.ExitStack() as files:
        # The lines first: the model brings Keras, which takes seconds.
        lines = None if options.text else TextLines(options.input or "-", files)
        model, how = load_ensemble(options)
        from kerasseq.applications.translation.use import translate

        inputs = [options.input] if options.input else []
        output = files.enter_context(open_output(options.output, inputs))
        results = translate(model, options.text or lines, **how)
        for text, hypotheses in tqdm(results, unit=" lines", disable=hidden):
            print(_line(text, hypotheses, options.json), file=output, flush=True)
    return lines.report() if lines else 0


def _line(source: str, hypotheses: list, as_json: bool) -> str:
    if not as_json:
        return "\t".join(escape(one.text.replace("\t", " ")) for one in hypotheses)
    rows = [{"text": one.text, "score": round(one.score, 4)} for one in hypotheses]
    best = rows[0]["text"] if rows else ""
    return dump_json({"source": source, "text": best, "hypotheses": rows})
