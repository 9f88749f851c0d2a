"""`kerasseq train HEAD`."""

import argparse
from typing import Any


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
    data = add.add_argument_group("data")
    data.add_argument(
        "--train",
        nargs="+",
        metavar="FILE",
        help="two line-aligned files, or .tsv, .jsonl, .po (also .gz), or a .zip of one",
    )
    data.add_argument("--valid", nargs="+", metavar="FILE", help="default: cut off --train")
    data.add_argument("--test", nargs="+", metavar="FILE")
    data.add_argument("--dataset", metavar="NAME", help="see `kerasseq datasets`")
    data.add_argument("--data-dir", metavar="DIR", help="where data sets are; or KERASSEQ_DATA")
    data.add_argument("--source", metavar="LANGUAGE", help="default: en")
    data.add_argument("--target", metavar="LANGUAGE", help="default: de")
    _add_common(add, ("transformer", "rnn-attention", "rnn", "convolution"))
    add.set_defaults(run=_translation)


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
    model.add_argument("--output", metavar="DIR", help="the run folder; default: runs/HEAD")
    model.add_argument("--resume", action="store_true", help="go on with an interrupted run")


def _translation(options: argparse.Namespace) -> None:
    from kerasseq.applications import translation

    names = ("train", "valid", "test", "dataset", "source", "target")
    config = translation.configure(
        {name: getattr(options, name) for name in names if getattr(options, name)},
        options.model,
        options.config,
        options.set,
    )
    translation.train(
        config, options.output or "runs/translation", options.resume, options.data_dir
    )
