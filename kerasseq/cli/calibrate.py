"""`kerasseq calibrate`."""

import argparse
import os
from pathlib import Path
from typing import Any

from kerasseq.cli.options import add_model, load_reader
from kerasseq.data.files import check_file
from kerasseq.data.public import datasets
from kerasseq.errors import UserError
from kerasseq.presets import find_model
from kerasseq.printable import dump_json


def add_command(commands: Any) -> None:
    """Adds `calibrate` to the command line."""
    add = commands.add_parser(
        "calibrate",
        help="make a recogniser's word confidences true",
        description="Measure how often words of a confidence are right, on recordings that the "
        "model was not trained on, and write it to the model's card. The weights stay. Training "
        "does this by itself.",
    )
    add_model(add)
    add.add_argument("--data", nargs="+", metavar="FILE", help="as in train")
    add.add_argument("--dataset", metavar="NAME", help="the validation part of a public set")
    add.add_argument("--data-dir", metavar="FOLDER", help="where that set is")
    add.add_argument("--output", metavar="FILE", help="a .keras file; default: only print it")
    add.set_defaults(run=_calibrate)


def _calibrate(options: argparse.Namespace) -> None:
    if bool(options.data) == bool(options.dataset):
        raise UserError("Give --data FILE or --dataset NAME.")
    if options.data_dir and not options.dataset:
        raise UserError("--data-dir goes with --dataset: leave it out.")
    if options.output and not options.output.endswith(".keras"):
        raise UserError(f"--output must be the name of a .keras file, not {options.output}.")
    find_model(options.model)
    for path in options.data or []:
        if not os.path.isdir(path):
            check_file(path)
    if options.dataset:
        corpus = datasets.recordings(options.dataset, options.data_dir)["valid"]
    else:
        from kerasseq.data import RecordingCorpus

        corpus = RecordingCorpus(options.data)
    model = load_reader(options.model, "sound")
    from kerasseq.applications.speech_recognition.calibration import calibrate_on
    from kerasseq.models.confidence import CARD_NAME

    entry = calibrate_on(model, corpus)
    print(dump_json(entry))
    if options.output:
        model.card = {**model.card, CARD_NAME: entry}
        part = Path(options.output).with_suffix(".part.keras")
        model.save(part)
        os.replace(part, options.output)
