"""Model files of earlier versions load, and write what they wrote.

`python -m tests.test_golden` writes the files anew; do so only when the CHANGELOG says that old
files do not load.
"""

import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import pytest
from keras import ops

import kerasseq
from kerasseq.encoders import RowConvolution
from kerasseq.models import HybridSeq2Seq
from kerasseq.preprocessing import TextPreprocessor
from tests import deciding
from tests.contracts.zoo import model_of

pytestmark = pytest.mark.backends

FOLDER = Path(__file__).parent / "golden"
KINDS = (
    "transformer",
    "convolution",
    "rnn-joined-gru",
    "rnn-additive-global-before",
    "rnn-bilinear-global-after-fed",
    "rnn-heads-before",
)
SOURCES = ["one five three", "six", "two two four one"]


@pytest.mark.parametrize("name", KINDS)
def test_golden_file(name):
    model = keras.saving.load_model(FOLDER / f"{name}.keras")
    expected = json.loads((FOLDER / "texts.json").read_text(encoding="utf-8"))[name]
    assert model.generate(SOURCES, jit=False) == expected


def paths(archive):
    """The names of all arrays of the weights in a file, without those of an optimizer."""
    found = []
    with zipfile.ZipFile(archive) as file, file.open("model.weights.h5") as weights:
        with h5py.File(io.BytesIO(weights.read())) as arrays:
            arrays.visititems(
                lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
            )
    return sorted(name for name in found if not name.startswith("optimizer"))


@pytest.mark.parametrize("name", KINDS)
def test_weights_stand_where_they_stood(name, tmp_path):
    """Files of today load in earlier versions, and no layer is saved under another name."""
    model = keras.saving.load_model(FOLDER / f"{name}.keras")
    model.save(tmp_path / "model.keras")
    assert paths(tmp_path / "model.keras") == paths(FOLDER / f"{name}.keras")


def test_a_file_loads_that_names_a_class_by_an_old_name(tmp_path):
    model = keras.saving.load_model(FOLDER / "lookahead.keras")
    layer = model.encoder.layers[-1]
    assert isinstance(layer, RowConvolution)
    assert ops.convert_to_numpy(layer.kernel).tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    model.save(tmp_path / "model.keras")
    assert paths(tmp_path / "model.keras") == paths(FOLDER / "lookahead.keras")


def test_every_kind_of_model_is_saved_by_its_parts(tmp_path):
    for kind in deciding.KINDS:
        model = deciding.made(kind)
        model.save(tmp_path / "model.keras")
        names = {path.split("/")[0] for path in paths(tmp_path / "model.keras")}
        assert names <= {*model.parts, "head"}


def test_a_hybrid_loads_under_its_earlier_name(tmp_path):
    model = deciding.made("hybrid")
    model.save(tmp_path / "new.keras")
    old = tmp_path / "old.keras"
    with zipfile.ZipFile(tmp_path / "new.keras") as file, zipfile.ZipFile(old, "w") as renamed:
        for name in file.namelist():
            content = file.read(name)
            if name == "config.json":
                assert b"HybridSeq2Seq" in content and b"models.hybrid" in content
                content = content.replace(b"HybridSeq2Seq", b"JointSeq2Seq")
                content = content.replace(b"models.hybrid", b"models.joint")
            renamed.writestr(name, content)
    loaded = keras.saving.load_model(old)
    assert isinstance(loaded, kerasseq.JointSeq2Seq) and kerasseq.JointSeq2Seq is HybridSeq2Seq
    assert deciding.written(loaded) == deciding.written(model)


def write() -> None:
    """Make the files."""
    FOLDER.mkdir(exist_ok=True)
    pairs = [("one two three", "eins zwei drei"), ("four five", "vier fünf"), ("six", "sechs")]
    preprocessor = TextPreprocessor.learn(pairs * 20, "char", 40)
    texts = {}
    for name in KINDS:
        model = model_of(name, preprocessor)
        x = {**preprocessor.features([s for s, _ in pairs])}
        tokens, labels, weights = preprocessor.targets([t for _, t in pairs])
        model.compile(optimizer=keras.optimizers.Adam(0.02))
        model.fit({**x, "tokens": tokens}, labels, sample_weight=weights, epochs=60, verbose=0)
        model.save(FOLDER / f"{name}.keras", include_optimizer=False)
        texts[name] = model.generate(SOURCES, jit=False)
    text = json.dumps(texts, ensure_ascii=False, indent=1)
    (FOLDER / "texts.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
