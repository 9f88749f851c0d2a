"""Damaged n-grams: they are blamed on themselves, when they are loaded, whoever loads them."""

import dataclasses

import keras
import numpy as np
import pytest

from kerasseq.errors import UserError
from kerasseq.language_model import NGram
from kerasseq.language_model.table_file import read_table, write_table

SEQUENCES = [[4, 5, 6, 4], [5, 6], [4, 4, 5]]

DAMAGE = {
    "a circle of contexts": lambda table: {"suffixes": np.full_like(table.suffixes, 1)},
    "a context that is not there": lambda table: {"children": table.children + 10**6},
    "keys out of order": lambda table: {"keys": table.keys[::-1]},
    "keys of another vocabulary": lambda table: {"keys": table.keys * 1000},
    "a probability of 2": lambda table: {"probs": table.probs * 0 + 2},
    "no number": lambda table: {"weights": table.weights * np.nan},
    "texts": lambda table: {"probs": np.full(len(table.probs), "a")},
    "too few": lambda table: {"probs": table.probs[:-1]},
    "two axes": lambda table: {"probs": table.probs[None]},
}


@pytest.fixture(scope="module")
def model():
    return NGram.learn(SEQUENCES, 8, order=3)


def test_good_n_grams_come_back(model, tmp_path):
    model.save_assets(str(tmp_path))
    loaded = NGram(8, order=3)
    loaded.load_assets(str(tmp_path))
    assert loaded.score([4, 5, 6]) == model.score([4, 5, 6])


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_n_grams(name, model, tmp_path):
    path = str(tmp_path / "ngrams.npz")
    write_table(path, dataclasses.replace(model._table, **DAMAGE[name](model._table)))
    with pytest.raises(UserError, match="contradict"):
        read_table(path, 8, 3)
    other = NGram(8, order=3)
    with pytest.raises(UserError, match="The language model in the file is damaged"):
        other.load_assets(str(tmp_path))
    with pytest.raises(UserError, match="is damaged"):
        other.load_assets(None)  # a second path to the layer changes nothing


@pytest.mark.parametrize("data", [b"", b"PK", b"\x93NUMPY" + bytes(100)])
def test_files_that_are_none(data, tmp_path):
    (tmp_path / "ngrams.npz").write_bytes(data)
    with pytest.raises(UserError, match="not a language model"):
        NGram(8).load_assets(str(tmp_path))


def test_what_is_missing_is_said_at_once(tmp_path):
    model = NGram(8)
    model.load_assets(str(tmp_path))
    with pytest.raises(UserError, match="has no n-grams"):
        model.check()
    assert isinstance(model, keras.layers.Layer)
