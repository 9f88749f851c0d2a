"""A `.keras` file, unpacked once all that is in it is checked."""

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kerasseq.archive.config import MOST_BYTES, read_config
from kerasseq.archive.weights import Held, check_weights
from kerasseq.archive.zipped import checked_members, opened_zip, shown, unpack
from kerasseq.errors import FileError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_ASSET = re.compile(r"assets(/\w{1,64}){1,8}\.(model|npz)", re.ASCII)


class Unpacked(NamedTuple):
    """A model's file as Keras reads it from a folder.

    Attributes:
        folder: holds the configuration, the weights and the assets; it goes with the block.
        config: what is in its configuration.
        held: what its weights are.
    """

    folder: Path
    config: dict
    held: Held


@contextlib.contextmanager
def unpacked(path: str | Path) -> Iterator[Unpacked]:
    """The contents of a `.keras` file for as long as the block runs.

    Raises:
        FileError: it is not what Keras saves a model in, or holds what no model consists of.
    """
    with tempfile.TemporaryDirectory(prefix="kerasseq-") as name:
        folder = Path(name)
        config = _unpack(path, folder)
        yield Unpacked(folder, config, check_weights(folder / WEIGHTS, path))


def _unpack(path: str | Path, folder: Path) -> dict:
    """Write all of a file into a folder; returns the configuration."""
    with opened_zip(path, "a .keras file") as archive:
        members = checked_members(archive, path)
        for name in (WEIGHTS, CONFIG):
            if name not in members:
                raise FileError(path, f"not a .keras file: no {name} in it")
        if members[CONFIG].file_size > MOST_BYTES:
            raise FileError(path, "its configuration is too large")
        text = io.BytesIO()
        unpack(archive, members.pop(CONFIG), text)
        config = read_config(text.getvalue(), path)
        for name, info in members.items():
            if name not in (METADATA, WEIGHTS) and not _ASSET.fullmatch(name):
                raise FileError(path, f"{shown(name)} in it is part of no model")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with open(folder / name, "wb") as file:
                unpack(archive, info, file)
    (folder / CONFIG).write_text(json.dumps(config))
    return config
