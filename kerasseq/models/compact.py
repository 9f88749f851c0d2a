"""Model files of half the size."""

import io
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np

from kerasseq.archive import WEIGHTS, unpack_model
from kerasseq.errors import UserError


def compact(path: str | Path, output: str | Path) -> None:
    """Writes a model's file with weights of 16 instead of 32 bits, packed better.

    The weights are rounded to float16, whose 11 bits of significand make an error of 2^-12 of a
    weight at most. Weights below 2^-24 become 0. A loaded model computes as before, in float32, and
    has the very same weights on every backend.

    Args:
        path: a `.keras` file.
        output: the file to write. It replaces an existing one once it is whole.

    Raises:
        UserError: the file is none or damaged, or a weight is beyond float16's range, 65,504.

    Example:

    >>> import os
    >>> import kerasseq
    >>> from kerasseq.models import compact
    >>> pairs = [("ab", "ba"), ("abc", "cba")]
    >>> preprocessor = kerasseq.TextPreprocessor.learn(pairs, kind="char", vocabulary_size=20)
    >>> embedding = kerasseq.TokenEmbedding(preprocessor.source_vocabulary_size, 64)
    >>> model = kerasseq.Seq2Seq(
    ...     embedding, kerasseq.encoders.RNNEncoder(64),
    ...     kerasseq.decoders.RNNDecoder(embedding, 64, attention="dot"), preprocessor)
    >>> model.save("model.keras")
    >>> compact("model.keras", "small.keras")
    >>> os.path.getsize("small.keras") < 0.6 * os.path.getsize("model.keras")
    True
    """
    output = Path(output)
    part = output.with_name(f".{output.name}.part")
    try:
        with unpack_model(path) as found, zipfile.ZipFile(part, "w", zipfile.ZIP_LZMA) as packed:
            for file in sorted(found.folder.rglob("*")):
                if file.name == WEIGHTS:
                    packed.writestr(WEIGHTS, _halve(file, path))
                elif file.is_file():
                    packed.write(file, file.relative_to(found.folder))
        os.replace(part, output)
    finally:
        part.unlink(missing_ok=True)


def _halve(weights: Path, path: str | Path) -> bytes:
    """Returns an HDF5 file with its float32 arrays in float16 and without unused space."""
    made = io.BytesIO()
    with h5py.File(weights, "r") as old, h5py.File(made, "w") as new:
        new.attrs.update(old.attrs)

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                copied = new.require_group(name)
            else:
                array = item[()]
                if array.dtype == np.float32:
                    if np.any(np.abs(array) > np.finfo(np.float16).max):
                        raise UserError(f"{path}: {name} is too large for 16 bits")
                    array = array.astype(np.float16)
                copied = new.create_dataset(name, data=array)
            copied.attrs.update(item.attrs)

        old.visititems(copy)
    return made.getvalue()
