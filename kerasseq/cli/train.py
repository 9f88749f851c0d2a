"""`kerasseq train HEAD`."""

import argparse
import importlib
from typing import Any

from kerasseq.errors import UserError


def add_commands(commands: Any) -> None:
    """Add `train` to the command line."""
    train = commands.add_parser("train", help="train a model on your own data, or on the default")
    heads = train.add_subparsers(required=True, metavar="HEAD")
    add = heads.add_parser(
        "translation",
        help="text to text",
        description="Train a text-to-text model. Without data it learns how two languages word "
        "dates, amounts, measures and lists.",
    )
    data = _add_data(
        add, "two line-aligned files, or .tsv, .jsonl, .po (also .gz), or a .zip of one"
    )
    data.add_argument("--source", metavar="LANGUAGE", help="default: en")
    data.add_argument("--target", metavar="LANGUAGE", help="default: de")
    _add_common(add, ("transformer", "rnn-attention", "rnn", "convolution"))
    add.set_defaults(run=_translation)
    add = heads.add_parser(
        "speech-recognition",
        help="sound to text",
        description="Train a speech recogniser. Without data it learns phrases that a synthesiser "
        "speaks.",
    )
    _add_data(
        add,
        "a list of recordings: .tsv (path, text), a NeMo manifest (.jsonl), metadata.csv, or the "
        "folder of a Kaldi or Hugging Face data set",
    )
    _add_common(add, ("ctc", "transducer", "attention", "transducer-attention", "hybrid"))
    add.set_defaults(run=_speech_recognition)
    add = heads.add_parser(
        "captioning",
        help="pictures and clips to text",
        description="Train a captioner. Without data it learns to describe scenes of drawings.",
    )
    data = _add_data(
        add,
        "a list of pictures: .tsv (path, caption), COCO's captions .json, metadata.csv or .jsonl, "
        "or the folder of a Hugging Face data set",
    )
    data.add_argument("--images", metavar="DIR", help="where lists have their pictures")
    _add_common(add, ("show-attend-tell", "show-and-tell", "transformer", "s2vt"))
    add.set_defaults(run=_captioning)


def _add_data(add: argparse.ArgumentParser, files: str) -> Any:
    data = add.add_argument_group("data")
    data.add_argument("--train", nargs="+", metavar="FILE", help=files)
    data.add_argument("--valid", nargs="+", metavar="FILE", help="default: cut off --train")
    data.add_argument("--test", nargs="+", metavar="FILE")
    data.add_argument("--dataset", metavar="NAME", help="see `kerasseq datasets`")
    data.add_argument("--data-dir", metavar="DIR", help="where data sets are; or KERASSEQ_DATA")
    return data


def _add_common(add: argparse.ArgumentParser, models: tuple[str, ...]) -> None:
    model = add.add_argument_group("model and training")
    model.add_argument("--model", choices=models, help=f"default: {models[0]}")
    model.add_argument(
        "--config", metavar="NAME|FILE", help="a TOML file, or a configuration of the head's"
    )
    model.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting, e.g. training.max_minutes=5 or model.units=512",
    )
    model.add_argument(
        "--start-from", metavar="MODEL", help="begin with the vocabulary and weights of a model"
    )
    model.add_argument("--output", metavar="DIR", help="the run folder; default: runs/HEAD")
    model.add_argument(
        "--resume",
        action="store_true",
        help="go on with an interrupted run; where there is none, begin one",
    )
    model.add_argument(
        "--overwrite", action="store_true", help="delete the run that is in the run folder"
    )


def _translation(options: argparse.Namespace) -> None:
    _train("translation", options, "source", "target")


def _speech_recognition(options: argparse.Namespace) -> None:
    _train("speech-recognition", options)


def _captioning(options: argparse.Namespace) -> None:
    _train("captioning", options, "images")


def _train(name: str, options: argparse.Namespace, *more: str) -> None:
    """Train a head with the data that options name: the usual ones and `more`."""
    _check(options)
    # Here, since it brings Keras, which takes seconds.
    head = importlib.import_module(f"kerasseq.applications.{name.replace('-', '_')}")
    names = ("train", "valid", "test", "dataset", *more)
    data = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = list(options.set)
    if options.start_from:
        settings.append(f"training.start_from={options.start_from}")
    config = head.configure(data, options.model, options.config, settings)
    output = options.output or f"runs/{name}"
    how = {"resume": options.resume, "overwrite": options.overwrite}
    head.train(config, output, data_dir=options.data_dir, **how)


def _check(options: argparse.Namespace) -> None:
    """That options go together, as far as they tell by themselves."""
    if options.train and options.dataset:
        raise UserError("Name files (--train) or a data set (--dataset), not both.")
    if options.resume and options.overwrite:
        raise UserError("--resume goes on with a run and --overwrite deletes it: choose one.")
    if options.start_from and options.model:
        raise UserError("--start-from brings its own model: leave out --model.")
