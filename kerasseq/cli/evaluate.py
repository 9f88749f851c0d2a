"""`kerasseq evaluate`: how well a model does on examples of which one knows what is right."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from kerasseq.cli import decoding, pictures, speech
from kerasseq.cli.models import test_part
from kerasseq.cli.use import CHUNK, Writer, add_together, open_output
from kerasseq.errors import OptionError, UserError
from kerasseq.printable import printable_json

# What is for models that read text alone, by the attribute that holds it.
_OF_TEXT = {
    "prefix": "--prefix",
    "members": "--with",
    "source": "--source",
    "target": "--target",
}


def add_commands(commands: Any) -> None:
    """Add `evaluate` to the command line."""
    about = "BLEU and chrF on pairs of texts, word error rate on recordings, CIDEr-D on pictures"
    add = commands.add_parser("evaluate", help=about, description=f"{about}.")
    add.add_argument("model", metavar="MODEL", help="a .keras file, a run folder or a preset")
    add.add_argument("--data", nargs="+", metavar="FILE", help="SOURCE TARGET, or as in train")
    add.add_argument("--dataset", metavar="NAME", help="the test part of a public set")
    add.add_argument("--data-dir", metavar="FOLDER", help="where that set is")
    add.add_argument("--source", metavar="CODE", help="language of that set to translate")
    add.add_argument("--target", metavar="CODE", help="and the one to translate it into")
    add.add_argument("--output", metavar="FILE", help="write the model's texts to it")
    add.add_argument("--json", action="store_true")
    # Only the best text is measured.
    decoding.add(add, *(name for name in decoding.EVERY if name != "n_best"))
    add_together(add)
    add.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    if options.data and options.dataset:
        raise UserError("Give --data or --dataset, not both.")
    if not options.data and not options.dataset:
        raise UserError("Give --data FILE or --dataset NAME.")
    for name in ("data_dir", "source", "target"):
        if getattr(options, name) and not options.dataset:
            raise UserError(f"{decoding.spelt(name)} goes with --dataset: leave it out.")
    from kerasseq import load

    model = load(options.model)
    reads = model.preprocessor.reads
    if reads == "text":
        return _evaluate_pairs(model, options)
    for name, shown in _OF_TEXT.items():
        if getattr(options, name):
            raise UserError(f"{shown} is for models that read text: leave it out.")
    if hasattr(options, "sample"):
        raise OptionError("sample", "is for models that read text: leave it out")
    head = speech if reads == "sound" else pictures
    return head.evaluate(model, options, open_output)


def _evaluate_pairs(model: Any, options: argparse.Namespace) -> int:
    from kerasseq.data import FileCorpus
    from kerasseq.data.public import datasets
    from kerasseq.metrics import bleu, chrf, exact_match

    write = Writer(options, model)
    known = (model.card.get(side) for side in ("source", "target"))
    source, target = (code if isinstance(code, str) else "" for code in known)

    def of_dataset(name: str, folder: str | None) -> dict:
        chosen = options.source or source, options.target or target
        return datasets.pairs(name, *(code or None for code in chosen), folder)

    def of_lists(files: list[str]) -> FileCorpus:
        return FileCorpus(files, languages=(source, target))

    corpus = test_part(options, of_dataset, of_lists)
    sources, references = (list(side) for side in zip(*corpus, strict=True))
    if len(corpus.problems):
        print(corpus.problems, file=sys.stderr)
    with open_output(options.output, options.data or []) as file:
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


def _in_chunks(write: Writer, sources: list[str]) -> Iterator[list]:
    for start in range(0, len(sources), CHUNK):
        yield from write(sources[start : start + CHUNK])
