"""`kerasseq datasets`."""

import argparse
import shlex
from typing import Any


def add_command(commands: Any) -> None:
    """Adds `datasets` to the command line."""
    datasets = commands.add_parser("datasets", help="list or fetch public data sets")
    datasets.set_defaults(run=_list)
    actions = datasets.add_subparsers(metavar="ACTION")
    fetch = actions.add_parser("fetch", help="download one, with checksums; goes on where it was")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument("--data-dir", metavar="DIR", help="or KERASSEQ_DATA; default: a cache")
    fetch.set_defaults(run=_fetch)


def _list(options: argparse.Namespace) -> None:
    from kerasseq.data.public.datasets import DATASETS

    for dataset in DATASETS.values():
        print(f"{dataset.name}  {dataset.title}")
        print(f"    {', '.join(dataset.languages)}; {dataset.pairs:,} {dataset.unit}", end="; ")
        print(f"{dataset.size / 1e6:,.1f} MB; {dataset.licence}; for {dataset.head}")
        print(f"    {dataset.homepage}")


def _fetch(options: argparse.Namespace) -> None:
    from kerasseq.data.public.datasets import find
    from kerasseq.data.public.fetch import fetch

    fetch(options.name, options.data_dir)
    where = f" --data-dir {shlex.quote(options.data_dir)}" if options.data_dir else ""
    print(f"kerasseq train {find(options.name).head} --dataset {options.name}{where}")
