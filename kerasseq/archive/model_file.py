"""The unpacking of `.keras` files, with checks of their content."""

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kerasseq.archive.config import MOST_BYTES, read_config
from kerasseq.archive.weights import WeightsSummary, check_weights
from kerasseq.archive.zipped import check_members, extract, open_zip, shorten
from kerasseq.errors import FileError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_ASSET = re.compile(r"assets(/\w{1,64}){1,8}\.(model|npz)", re.ASCII)


class ModelFolder(NamedTuple):
    """A folder with the content of a `.keras` file.

    Attributes:
        folder: the temporary folder of the configuration, the weights and the assets.
        config: the content of the configuration.
        weights: the summary of the weights.
    """

    folder: Path
    config: dict
    weights: WeightsSummary


@contextlib.contextmanager
def unpack_model(path: str | Path) -> Iterator[ModelFolder]:
    """Unpacks a `.keras` file into a folder that exists while the block runs.

    Raises:
        FileError: the file is no `.keras` file, or contains something that no model consists of.
    """
    with tempfile.TemporaryDirectory(prefix="kerasseq-") as name:
        folder = Path(name)
        config = _extract_all(path, folder)
        yield ModelFolder(folder, config, check_weights(folder / WEIGHTS, path))


def _extract_all(path: str | Path, folder: Path) -> dict:
    """Writes the content of a file into a folder, and returns the configuration."""
    with open_zip(path, "a .keras file") as archive:
        members = check_members(archive, path)
        for name in (WEIGHTS, CONFIG):
            if name not in members:
                raise FileError(path, f"not a .keras file: no {name} in it")
        if members[CONFIG].file_size > MOST_BYTES:
            raise FileError(path, "its configuration is too large")
        text = io.BytesIO()
        extract(archive, members.pop(CONFIG), text)
        config = read_config(text.getvalue(), path)
        for name, info in members.items():
            if name not in (METADATA, WEIGHTS) and not _ASSET.fullmatch(name):
                raise FileError(path, f"{shorten(name)} in it is part of no model")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with open(folder / name, "wb") as file:
                extract(archive, info, file)
    (folder / CONFIG).write_text(json.dumps(config))
    return config
