"""What the commands ask of a model and of the options of its search."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from kerasseq.errors import UserError

_COMMANDS = {"text": "generate", "sound": "transcribe", "picture": "caption"}


def must_read(model: Any, name: str, kind: str) -> None:
    """That a model reads "text", "sound" or "picture".

    Args:
        name: of the model, for the error.

    Raises:
        UserError: it reads something else.
    """
    reads = model.preprocessor.reads
    if reads != kind:
        raise UserError(f"{name} reads {reads}, not {kind}: use `kerasseq {_COMMANDS[reads]}`.")


def test_part(options: argparse.Namespace, of_dataset: Callable, of_lists: Callable) -> Any:
    """The examples that a model is to be measured on, of --dataset or --data.

    Args:
        of_dataset: a data set's parts, given its name and folder.
        of_lists: the examples of lists.

    Raises:
        UserError: an option is wrong, or there is nothing to read.
    """
    if options.batch_size < 1:
        raise UserError(f"--batch-size must be at least 1, not {options.batch_size}.")
    if options.dataset:
        corpus = of_dataset(options.dataset, options.data_dir)["test"]
    else:
        corpus = of_lists(options.data)
    # Before the output is emptied.
    if next(iter(corpus), None) is None:
        raise UserError(f"{options.dataset or ', '.join(options.data)}: there is nothing in it.")
    return corpus


def measured(options: argparse.Namespace, output: Callable, unit: str, evaluate: Callable) -> Any:
    """Measure a model with a bar, write its texts to --output and name what could not be read.

    Args:
        output: opens a file to write to, given its name and those that are read.
        unit: what the bar counts.
        evaluate: given what is to be called with each number of examples that are done, returns
            what has `texts` and `problems`.
    """
    from tqdm import tqdm

    with (
        output(options.output, options.data or []) as file,
        tqdm(unit=f" {unit}", disable=None) as bar,
    ):
        found = evaluate(bar.update)
        if options.output:
            file.writelines(text + "\n" for text in found.texts)
    if len(found.problems):
        print(found.problems, file=sys.stderr)
    return found
