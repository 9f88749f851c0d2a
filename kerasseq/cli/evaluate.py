"""`kerasseq evaluate`."""

import argparse
import importlib
import os
import sys
from typing import Any

from kerasseq.cli.files import open_output
from kerasseq.cli.options import (
    DECODING,
    add_decoding,
    add_ensemble,
    add_model,
    check_batch_size,
    collect_decoding,
    load_ensemble,
    spell_option,
)
from kerasseq.data.files import check_file
from kerasseq.data.public import datasets
from kerasseq.data.public.dataset import HEADS
from kerasseq.errors import OptionError, UserError
from kerasseq.presets import find_model
from kerasseq.printable import dump_json

# Options for models that read text, by their attributes.
_TEXT_ONLY = {
    "prefix": "--prefix",
    "members": "--with",
    "source": "--source",
    "target": "--target",
}


def add_command(commands: Any) -> None:
    """Adds `evaluate` to the command line."""
    about = "BLEU and chrF on pairs of texts, word error rate on recordings, CIDEr-D on pictures"
    add = commands.add_parser("evaluate", help=about, description=f"{about}.")
    add_model(add)
    add.add_argument("--data", nargs="+", metavar="FILE", help="SOURCE TARGET, or as in train")
    add.add_argument("--dataset", metavar="NAME", help="the test part of a public set")
    add.add_argument("--data-dir", metavar="FOLDER", help="where that set is")
    add.add_argument("--source", metavar="CODE", help="language of that set to translate")
    add.add_argument("--target", metavar="CODE", help="and the one to translate it into")
    add.add_argument("--output", metavar="FILE", help="write the model's texts to it")
    add.add_argument("--json", action="store_true")
    # Only the best text is measured.
    add_decoding(add, *(name for name in DECODING if name != "n_best"))
    add_ensemble(add)
    add.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    if options.data and options.dataset:
        raise UserError("Give --data or --dataset, not both.")
    if not options.data and not options.dataset:
        raise UserError("Give --data FILE or --dataset NAME.")
    for name in ("data_dir", "source", "target"):
        if getattr(options, name) and not options.dataset:
            raise UserError(f"{spell_option(name)} goes with --dataset: leave it out.")
    find_model(options.model)
    if options.dataset:
        datasets.find(options.dataset)
    for path in options.data or []:
        if not os.path.isdir(path):
            check_file(path)
    # Here, since it brings Keras, which takes seconds.
    from kerasseq import load

    model = load(options.model)
    reads = model.preprocessor.reads
    folder = HEADS[reads].replace("-", "_")
    head = importlib.import_module(f"kerasseq.applications.{folder}.evaluation")
    if reads == "text":
        _, how = load_ensemble(options, model)
        languages = {"source": options.source, "target": options.target}
    else:
        how, languages = _collect(model, options), {}
    data = (options.data or [], options.dataset, options.data_dir)
    corpus = head.read_corpus(model, *data, **languages)
    # Before the output is emptied.
    if next(iter(corpus), None) is None:
        raise UserError(f"{options.dataset or ', '.join(options.data)}: there is nothing in it.")
    return _measure(head, model, corpus, how, options)


def _collect(model: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Returns the arguments of `evaluate` for a model that does not read text."""
    for name, option in _TEXT_ONLY.items():
        if getattr(options, name):
            raise UserError(f"{option} is for models that read text: leave it out.")
    if hasattr(options, "sample"):
        raise OptionError("sample", "is for models that read text: leave it out")
    check_batch_size(options)
    how = model.options(**collect_decoding(options))
    return {"options": how, "batch_size": options.batch_size}


def _measure(head: Any, model: Any, corpus: Any, how: dict, options: argparse.Namespace) -> int:
    """Prints the scores, writes the texts to --output and names what could not be read."""
    from tqdm import tqdm

    with open_output(options.output, options.data or []) as file:
        with tqdm(unit=f" {head.Evaluation.examples}", disable=None) as bar:
            result = head.evaluate(model, corpus, **how, progress=bar.update)
        if options.output:
            file.writelines(text + "\n" for text in result.texts)
    if len(result.problems):
        print(result.problems, file=sys.stderr)
    print(dump_json(result.to_dict()) if options.json else result)
    return 1 if len(result.problems) else 0
