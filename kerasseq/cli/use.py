"""Using a trained model: `generate`, `evaluate` and `attention`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from kerasseq.cli import pictures, speech
from kerasseq.cli.models import must_read
from kerasseq.cli.texts import TextLines
from kerasseq.errors import UserError
from kerasseq.printable import printable, printable_json

CHUNK = 2048
"""Lines that are read, generated from and written together."""

# What counts for some strategies alone, with the defaults, which leave things as they are.
_OF_SAMPLING = {"temperature": 1.0, "top_k": None, "top_p": 1.0, "seed": 0}
_OF_BEAMS = {"n_best": 1, "length_penalty": 1.0, "coverage_penalty": 0.0}

# What counts for models that read text alone, sound alone, or data sets that have a test part.
_OF_TEXT = {
    **_OF_SAMPLING,
    **_OF_BEAMS,
    "sample": False,
    "min_length": 0,
    "max_length": None,
    "no_repeat": 0,
    "prefix": None,
    "members": [],
    "precision": None,
}
_OF_SETS = {"dataset": None, "data_dir": None}
_OF_SPEECH = {
    "lm_weight": None,
    "ctc_weight": None,
    "length_bonus": None,
}


def add_commands(commands: Any) -> None:
    """Add the commands that use a model to the command line."""
    add = _command(commands, "generate", _generate, "write a text for each text")
    add.add_argument("text", nargs="*", metavar="TEXT", help="default: the lines of --input")
    add.add_argument("--input", metavar="FILE", help="a text a line; - for standard input")
    add.add_argument("--output", metavar="FILE", help="default: standard output")
    add.add_argument("--json", action="store_true", help="an object a line, with scores")
    _add_strategy(add)

    about = "BLEU and chrF on pairs of texts, word error rate on recordings, CIDEr-D on pictures"
    add = _command(commands, "evaluate", _evaluate, about)
    add.add_argument("--data", nargs="+", metavar="FILE", help="SOURCE TARGET, or as in train")
    add.add_argument("--dataset", metavar="NAME", help="the test part of a public set")
    add.add_argument("--data-dir", metavar="FOLDER", help="where that set is")
    add.add_argument("--output", metavar="FILE", help="write the model's texts to it")
    add.add_argument("--json", action="store_true")
    _add_strategy(add)
    speech.add_weights(add.add_argument_group("decoding of speech", "as in `transcribe`"))

    add = _command(commands, "attention", _attention, "draw where the model looks")
    add.add_argument("text", metavar="TEXT")
    add.add_argument("--target", metavar="TEXT", help="default: what the model writes")
    add.add_argument("--output", metavar="FILE", default="attention.png", help="a picture")


def _command(commands: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    add = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    add.add_argument("model", metavar="MODEL", help="a .keras file, a run folder or a preset")
    add.set_defaults(run=run)
    return add


def _add_strategy(add: argparse.ArgumentParser) -> None:
    add.set_defaults(**_OF_SAMPLING, **_OF_BEAMS)
    how = add.add_argument_group("decoding")
    how.add_argument("--beam", type=int, metavar="WIDTH", help="default: 5; 1: greedy")
    how.add_argument("--n-best", type=int, metavar="N", help="tab-separated if not JSON")
    how.add_argument("--length-penalty", type=float, metavar="ALPHA")
    how.add_argument("--coverage-penalty", type=float, metavar="BETA")
    how.add_argument("--sample", action="store_true", help="draw at random")
    how.add_argument("--temperature", type=float)
    how.add_argument("--top-k", type=int, metavar="K")
    how.add_argument("--top-p", type=float, metavar="P")
    how.add_argument("--seed", type=int)
    how.add_argument("--min-length", type=int, default=0, metavar="TOKENS")
    how.add_argument("--max-length", type=int, metavar="TOKENS")
    how.add_argument("--no-repeat", type=int, default=0, metavar="N", help="no n-gram comes twice")
    how.add_argument("--prefix", metavar="TEXT", help="how every text begins")
    how.add_argument(
        "--with",
        dest="members",
        action="append",
        default=[],
        metavar="MODEL",
        help="a further member of an ensemble; can be given again",
    )
    how.add_argument("--batch-size", type=int, default=32, metavar="N")
    how.add_argument(
        "--precision", choices=["bfloat16"], help="of the product over the vocabulary; faster"
    )


class _Writer:
    """A model, or an ensemble, with the options of a command line."""

    def __init__(self, options: argparse.Namespace, model: Any = None):
        from kerasseq import Options, load

        strategy = _strategy(options)
        if options.batch_size < 1:
            raise UserError(f"--batch-size must be at least 1, not {options.batch_size}")
        self.model = model or load(options.model)
        must_read(self.model, options.model, "text")
        lengths = (options.min_length, options.max_length)
        self.options = Options(strategy, *lengths, options.no_repeat, options.precision)
        self.more = {
            "with_models": [load(member) for member in options.members],
            "batch_size": options.batch_size,
        }
        self.prefix = options.prefix
        self.rows = 0

    def __call__(self, texts: list[str]) -> list[list]:
        """The hypotheses of each text; none for a text without anything in it."""
        full = [text for text in texts if text.strip()]
        prefixes = None if self.prefix is None else [self.prefix] * len(full)
        found = self.model.hypotheses(
            full, self.options, prefixes=prefixes, first_row=self.rows, **self.more
        )
        self.rows += len(full)
        rest = iter(found)
        return [next(rest) if text.strip() else [] for text in texts]


def _strategy(options: argparse.Namespace) -> Any:
    from kerasseq import Beam, Greedy, Sample

    if options.sample:
        _must_not_be_set(options, _OF_BEAMS, "goes with beam search: leave it or --sample out")
        return Sample(options.temperature, options.top_k, options.top_p, options.seed)
    _must_not_be_set(options, _OF_SAMPLING, "goes with --sample: add that or leave it out")
    beam = 5 if options.beam is None else options.beam
    if beam == 1 and options.n_best == 1:
        coverage = {"coverage_penalty": _OF_BEAMS["coverage_penalty"]}
        _must_not_be_set(options, coverage, "needs a --beam of 2 or more, or is left out")
        return Greedy()
    penalties = (options.length_penalty, options.coverage_penalty)
    return Beam(beam, *penalties, options.n_best)


def _must_not_be_set(options: argparse.Namespace, neutral: dict, reason: str) -> None:
    for name, value in neutral.items():
        if getattr(options, name) != value:
            shown = "with" if name == "members" else name.replace("_", "-")
            raise UserError(f"--{shown} {reason}.")


def _generate(options: argparse.Namespace) -> int:
    if options.text and options.input:
        raise UserError("Give texts or --input, not both.")
    if not options.text and not options.input and sys.stdin.isatty():
        raise UserError("Give a text, or --input FILE. --input - reads standard input.")
    write = _Writer(options)
    with contextlib.ExitStack() as files:
        read = None if options.text else TextLines(options.input or "-", files)
        lines = iter(read or options.text)
        inputs = [options.input] if options.input else []
        output = files.enter_context(_output(options.output, inputs))
        show = _Progress(options.output is not None and not options.text)
        while chunk := list(islice(lines, CHUNK)):
            for text, hypotheses in zip(chunk, write(chunk), strict=True):
                print(_line(text, hypotheses, options.json), file=output)
            output.flush()
            show(len(chunk))
    return read.tell() if read else 0


def _line(source: str, hypotheses: list, as_json: bool) -> str:
    if not as_json:
        return "\t".join(printable(one.text.replace("\t", " ")) for one in hypotheses)
    found = [{"text": one.text, "score": round(one.score, 4)} for one in hypotheses]
    first = found[0]["text"] if found else ""
    row = {"source": source, "text": first, "hypotheses": found}
    return printable_json(row)


def _output(name: str | None, inputs: Sequence[str]) -> Any:
    if name is None:
        return contextlib.nullcontext(sys.stdout)
    try:
        if os.path.exists(name) and any(
            os.path.exists(file) and os.path.samefile(file, name) for file in inputs
        ):
            raise UserError(f"{name} is read too: choose another file for --output.")
        return open(name, "w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name} cannot be written: {error.strerror}.") from None


class _Progress:
    """Lines done and lines a second, on standard error."""

    def __init__(self, shown: bool):
        from tqdm import tqdm

        self._bar = tqdm(unit=" lines", disable=None if shown else True)

    def __call__(self, lines: int) -> None:
        self._bar.update(lines)


def _evaluate(options: argparse.Namespace) -> int:
    if options.data and options.dataset:
        raise UserError("Give --data or --dataset, not both.")
    if not options.data and not options.dataset:
        raise UserError("Give --data FILE or --dataset NAME.")
    from kerasseq import load

    model = load(options.model)
    reads = model.preprocessor.reads
    if reads != "text":
        _must_not_be_set(options, _OF_TEXT, "is for models that read text: leave it out")
    if reads != "sound":
        _must_not_be_set(options, _OF_SPEECH, "is for models that read sound: leave it out")
    if reads == "sound":
        return speech.evaluate(model, options, _output)
    if reads == "picture":
        return pictures.evaluate(model, options, _output)
    _must_not_be_set(options, _OF_SETS, "is for speech and pictures: give --data")
    return _evaluate_pairs(model, options)


def _evaluate_pairs(model: Any, options: argparse.Namespace) -> int:
    from kerasseq.data import FileCorpus
    from kerasseq.metrics import bleu, chrf, exact_match

    known = (model.card.get(side) for side in ("source", "target"))
    source, target = (code if isinstance(code, str) else "" for code in known)
    corpus = FileCorpus(options.data, languages=(source, target))
    sources, references = (list(side) for side in zip(*corpus, strict=True))
    if len(corpus.problems):
        print(corpus.problems, file=sys.stderr)
    write = _Writer(options, model)
    with _output(options.output, options.data) as file:
        found = _in_chunks(write, sources)
        texts = [hypotheses[0].text if hypotheses else "" for hypotheses in found]
        references = model.preprocessor.normalize(references)
        scores = [metric(texts, references) for metric in (bleu, chrf, exact_match)]
        if options.json:
            row = {"pairs": len(texts), "scores": [score.to_dict() for score in scores]}
            print(printable_json(row))
        else:
            print(f"{len(texts):,} pairs")
            print("\n".join(map(str, scores)))
        if options.output:
            file.writelines(text + "\n" for text in texts)
    return 1 if len(corpus.problems) else 0


def _in_chunks(write: _Writer, sources: list[str]) -> Iterable[list]:
    for start in range(0, len(sources), CHUNK):
        yield from write(sources[start : start + CHUNK])


def _attention(options: argparse.Namespace) -> None:
    from kerasseq import load
    from kerasseq.drawing.attention import attention_map

    model = load(options.model)
    must_read(model, options.model, "text")
    attention_map(*model.attention(options.text, options.target), options.output)
    print(options.output)
