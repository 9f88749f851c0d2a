"""Models with kernels of 8 bits: they load, and write nearly what they wrote."""

from pathlib import Path

import numpy as np
import pytest

import kerasseq
from kerasseq.errors import UserError
from kerasseq.models import compact
from tests.thorough import thorough

SOURCES = ["eins zwei", "drei"]
GOLDEN = Path(__file__).parents[1] / "golden" / "transformer.keras"
GREEDY = kerasseq.Options(kerasseq.Greedy())


@thorough
def test_a_quantized_model_is_saved_and_loaded(tmp_path):
    model = kerasseq.load(GOLDEN)
    before = model.generate(SOURCES, GREEDY)
    model.quantize("int8")
    written = model.generate(SOURCES, GREEDY)
    assert written == before  # compiled anew, for the weights that there are now
    model.save(tmp_path / "int8.keras")
    loaded = kerasseq.load(tmp_path / "int8.keras")
    assert loaded.generate(SOURCES, GREEDY) == written
    for ours, theirs in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    compact(tmp_path / "int8.keras", tmp_path / "small.keras")
    assert kerasseq.load(tmp_path / "small.keras").generate(SOURCES, GREEDY) == written
    kernels = [weight.dtype for weight in loaded.weights if weight.name == "kernel"]
    assert kernels.count("int8") == len(kernels) > 10


@thorough
@pytest.mark.parametrize(
    "ways", [{"mode": "int4"}, {"mode": "float8"}, {"mode": "int8", "filters": "dense"}]
)
def test_other_ways_are_refused(ways):
    model = kerasseq.load(GOLDEN)
    with pytest.raises(UserError, match="int8"):
        model.quantize(**ways)
    assert model.quantization is None


def test_a_quantized_model_is_not_trained():
    model = kerasseq.load(GOLDEN)
    model.quantize("int8")
    for train in (
        lambda: model.with_dtype_policy("float32"),
        lambda: model.compile(optimizer="adam"),
    ):
        with pytest.raises(UserError, match="cannot be trained"):
            train()
    with pytest.raises(UserError, match="once"):
        model.quantize("int8")
