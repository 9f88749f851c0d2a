"""`kerasseq train HEAD`."""

import argparse
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasseq.errors import UserError


def add_command(commands: Any) -> None:
    """Adds `train` to the command line."""
    train = commands.add_parser("train", help="train a model on your own data, or on the default")
    add_heads(train, "Train", _train, _add_run)


def add_heads(
    parser: argparse.ArgumentParser,
    verb: str,
    run: Callable[[argparse.Namespace], Any],
    add_options: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Adds the heads to a command that trains models.

    Args:
        parser: of the command.
        verb: begins the description of each head.
        run: is called with the options.
        add_options: adds the command's own options.
    """
    heads = parser.add_subparsers(required=True, metavar="HEAD")
    add = functools.partial(_add_head, heads, run, add_options)
    add(
        "translation",
        "text to text",
        f"{verb} a text-to-text model. Without data it learns how two languages word dates, "
        "amounts, measures and lists.",
        "two line-aligned files, or .tsv, .jsonl, .po (also .gz), or a .zip of one",
        ("transformer", "rnn-attention", "rnn", "convolution"),
        source={"metavar": "LANGUAGE", "help": "default: en"},
        target={"metavar": "LANGUAGE", "help": "default: de"},
    )
    add(
        "speech-recognition",
        "sound to text",
        f"{verb} a speech recogniser. Without data it learns phrases that a synthesiser speaks.",
        "a list of recordings: .tsv (path, text), a NeMo manifest (.jsonl), metadata.csv, or the "
        "folder of a Kaldi or Hugging Face data set",
        ("ctc", "transducer", "attention", "transducer-attention", "hybrid"),
    )
    add(
        "captioning",
        "pictures and clips to text",
        f"{verb} a captioner. Without data it learns to describe scenes of drawings.",
        "a list of pictures: .tsv (path, caption), COCO's captions .json, metadata.csv or .jsonl, "
        "or the folder of a Hugging Face data set",
        ("show-attend-tell", "show-and-tell", "transformer", "s2vt"),
        images={"metavar": "DIR", "help": "where lists have their pictures"},
    )


def _add_head(
    heads: Any,
    run: Callable[[argparse.Namespace], Any],
    add_options: Callable[[argparse.ArgumentParser], None],
    head: str,
    about: str,
    description: str,
    files: str,
    models: tuple[str, ...],
    **more: dict[str, str],
) -> None:
    """Adds a head.

    Args:
        files: the help of --train.
        models: the kinds of model; the first is the default.
        more: further options that name data, with their arguments of argparse.
    """
    add = heads.add_parser(head, help=about, description=description)
    add.set_defaults(run=run, head=head, data=("train", "valid", "test", "dataset", *more))
    data = add.add_argument_group("data")
    data.add_argument("--train", nargs="+", metavar="FILE", help=files)
    data.add_argument("--valid", nargs="+", metavar="FILE", help="default: cut off --train")
    data.add_argument("--test", nargs="+", metavar="FILE")
    data.add_argument("--dataset", metavar="NAME", help="see `kerasseq datasets`")
    data.add_argument("--data-dir", metavar="DIR", help="where data sets are; or KERASSEQ_DATA")
    for name, how in more.items():
        data.add_argument(f"--{name}", **how)
    model = add.add_argument_group("model and training")
    model.add_argument("--model", choices=models, help=f"usually: {models[0]}")
    model.add_argument(
        "--config",
        metavar="NAME|FILE",
        help="a TOML file, or a configuration of the head's; default: auto, chosen from the data",
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
    add_options(add)


def _add_run(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a run."""
    run = parser.add_argument_group("run")
    run.add_argument("--output", metavar="DIR", help="the run folder; default: runs/HEAD")
    run.add_argument(
        "--resume",
        action="store_true",
        help="go on with an interrupted run; where there is none, begin one",
    )
    run.add_argument(
        "--overwrite", action="store_true", help="delete the run that is in the run folder"
    )
    run.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="cross-validation: K trainings, each measured on another part of the training data, "
        "and one on all",
    )


def _train(options: argparse.Namespace) -> None:
    """Trains the head of the options `head`, with the data that the options `data` name."""
    if options.resume and options.overwrite:
        raise UserError("--resume goes on with a run and --overwrite deletes it: choose one.")
    from kerasseq.applications.common.configuration import check_run
    from kerasseq.applications.common.folds import check_folds, find_config

    output = options.output or f"runs/{options.head}"
    head, settings = find_settings(options)
    config, parts, lines = head.plan(*settings, find_config(output) if options.resume else None)
    how = {
        "resume": options.resume,
        "overwrite": options.overwrite,
        "data_dir": options.data_dir,
    }
    # Usage errors come at once: only the training itself brings Keras, which takes seconds.
    if options.folds is None:
        check_run(config, output, **how)
    else:
        check_folds(config, Path(output), options.folds, **how)
    print(*lines, sep="\n", end="\n" * bool(lines), flush=True)
    parts = parts or head.read_parts(config.data, options.data_dir)
    if options.folds is None:
        head.train(config, output, parts=parts, **how)
    else:
        head.cross_validate(config, output, options.folds, parts=parts, **how)


def find_settings(options: argparse.Namespace) -> tuple[Any, tuple]:
    """Returns the head of the options, and the arguments of its `plan`."""
    if options.train and options.dataset:
        raise UserError("Name files (--train) or a data set (--dataset), not both.")
    if options.start_from and options.model:
        raise UserError("--start-from brings its own model: leave out --model.")
    head = importlib.import_module(f"kerasseq.applications.{options.head.replace('-', '_')}")
    data = {name: getattr(options, name) for name in options.data}
    data = {name: value for name, value in data.items() if value is not None}
    settings = list(options.set)
    if options.start_from:
        settings.append(f"training.start_from={options.start_from}")
    config = options.config or "auto"
    return head, (data, options.model, config, settings, options.data_dir)
