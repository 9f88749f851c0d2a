import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasseq.errors import UserError
from kerasseq.preprocessing.padding import ladder_length
from kerasseq.preprocessing.text import TextPreprocessor
from kerasseq.preprocessing.tokenizer import Tokenizer

PAIRS = [
    ("A man in a blue shirt is standing on a ladder.", "Ein Mann in einem blauen Hemd steht."),
    ("Two young, White males are outside.", "Zwei junge weiße Männer sind im Freien."),
    ("Several men in hard hats.", "Mehrere Männer mit Schutzhelmen."),
] * 4


@pytest.fixture(scope="module", params=[True, False], ids=["shared", "separate"])
def preprocessor(request):
    return TextPreprocessor.learn(PAIRS, "bpe", 110, shared=request.param)


@keras.saving.register_keras_serializable("kerasseq_tests")
class Owner(keras.Model):
    """The least model that holds a preprocessor."""

    def __init__(self, preprocessor, **kwargs):
        super().__init__(**kwargs)
        self.preprocessor = preprocessor
        self.head = keras.layers.Dense(2)

    def build(self, shape):
        self.head.build(shape)

    def call(self, inputs):
        return self.head(inputs)

    def get_config(self):
        return {"preprocessor": keras.saving.serialize_keras_object(self.preprocessor)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["preprocessor"]))


def saved(preprocessor, path):
    model = Owner(preprocessor)
    model.build((1, 3))
    model.save(path)
    return path


def test_features_are_padded_to_the_ladder(preprocessor):
    features = preprocessor.features([PAIRS[0][0], "", "A"])
    values, mask = features["values"], features["mask"]
    assert values.dtype == np.int32 and mask.dtype == bool
    assert values.shape == mask.shape and values.shape[1] in (8, 16, 24, 32, 48, 64)
    lengths = mask.sum(1)
    assert lengths[1] == 1
    for row, real, length in zip(values, mask, lengths, strict=True):
        assert real[:length].all() and row[length - 1] == 3 and not row[length:].any()


def test_no_texts_are_an_empty_batch(preprocessor):
    assert preprocessor.features([])["values"].shape == (0, 8)
    assert preprocessor.detokenize([]) == []


def test_targets_are_shifted_by_one(preprocessor):
    tokens, labels, weights = preprocessor.targets([target for _, target in PAIRS[:3]] + [""])
    assert (tokens[:, 0] == 2).all()
    for row, label, weight in zip(tokens, labels, weights, strict=True):
        count = int(weight.sum())
        assert weight.dtype == np.float32 and weight[:count].all()
        assert label[count - 1] == 3 and not label[count:].any()
        assert (row[1:count] == label[: count - 1]).all() and not row[count:].any()


def test_detokenize_stops_at_eos_and_returns_the_text(preprocessor):
    texts = [target for _, target in PAIRS[:3]]
    _, labels, _ = preprocessor.targets(texts)
    assert preprocessor.detokenize(labels) == texts
    assert preprocessor.detokenize([[2, *labels[0], *labels[1]]]) == texts[:1]
    assert preprocessor.detokenize([[], [3], [0, 2]]) == ["", "", ""]


def test_lowercase():
    preprocessor = TextPreprocessor.learn(PAIRS, "bpe", 110, steps=["lower"])
    _, labels, _ = preprocessor.targets(["ZWEI Männer."])
    assert preprocessor.detokenize(labels) == ["zwei männer."]


def test_a_long_text_is_cut_with_a_warning():
    tokenizer = Tokenizer.train([text for pair in PAIRS for text in pair], "bpe", 110)
    preprocessor = TextPreprocessor(tokenizer, max_source_length=8)
    with pytest.warns(UserWarning, match="1 of 2 source texts are longer than 7 pieces"):
        values = preprocessor.features(["A", PAIRS[0][0] * 9])["values"]
    assert values.shape == (2, 8) and values[1, 7] == 3


def test_ladder():
    steps = sorted({ladder_length(n) for n in range(1, 400)})
    assert steps == [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
    assert all(ladder_length(n) >= n for n in range(1, 2000))
    assert [ladder_length(n) for n in steps] == steps


def test_the_encoding_is_what_features_holds(preprocessor):
    texts = [pair[0] for pair in PAIRS[:3]]
    features, flat = preprocessor.features(texts), preprocessor.encode(texts, "source")
    assert (features["values"][features["mask"]] == flat.ids).all()


READ = """
import kerasseq.preprocessing, keras, json
import tests.preprocessing.test_text_preprocessor as t
model = keras.saving.load_model({path!r})
p = model.preprocessor
texts = [x for x, _ in t.PAIRS]
print(keras.backend.backend(), json.dumps(p.features(texts)["values"].tolist()))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_another_process_loads_it_from_the_model_file(tmp_path, backend):
    pytest.importorskip(backend)
    preprocessor = TextPreprocessor.learn(PAIRS, "bpe", 110, shared=False)
    path = saved(preprocessor, str(tmp_path / "m.keras"))
    ran = subprocess.run(
        [sys.executable, "-c", READ.format(path=path)],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    values = preprocessor.features([source for source, _ in PAIRS])["values"].tolist()
    assert ran.stdout.strip() == f"{backend} {values}", ran.stderr


def test_sizes_and_sharing_are_known_before_the_assets(preprocessor):
    copy = TextPreprocessor.from_config(preprocessor.get_config())
    assert copy.source_vocabulary_size == preprocessor.source_vocabulary_size
    assert copy.target_vocabulary_size == preprocessor.target_vocabulary_size
    assert copy.shared == preprocessor.shared
    with pytest.raises(UserError, match="no vocabulary"):
        copy.features(["A"])


def rewritten(path, change):
    """A copy of an archive where `change(name, data)` gives each entry's new name and data."""
    copy = path.replace(".keras", ".copy.keras")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            target.writestr(*change(name, source.read(name)))
    return copy


@pytest.mark.parametrize("assets", ["other/assets", "assets/layers/another"])
def test_an_archive_without_its_assets_loads_and_then_says_so(preprocessor, tmp_path, assets):
    path = saved(preprocessor, str(tmp_path / "m.keras"))
    own = "assets/layers/text_preprocessor"
    bare = rewritten(path, lambda name, data: (name.replace(own, assets), data))
    model = keras.saving.load_model(bare)
    with pytest.raises(UserError, match="no vocabulary"):
        model.preprocessor.features(["A"])


def test_another_vocabulary_in_the_archive_is_refused(preprocessor, tmp_path):
    path = saved(preprocessor, str(tmp_path / "m.keras"))
    stranger = Tokenizer.train([source for source, _ in PAIRS], "bpe", 60).to_bytes()
    mixed = rewritten(path, lambda name, data: (name, stranger if ".model" in name else data))
    with pytest.raises(ValueError, match="not the one this model was saved with"):
        keras.saving.load_model(mixed)


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_dtype_policies_do_not_matter(preprocessor, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        copy = TextPreprocessor(preprocessor.tokenizer("source"), preprocessor.tokenizer("target"))
        assert copy.targets(["A man"])[2].dtype == np.float32
        assert "dtype" not in copy.get_config()
    finally:
        keras.config.set_dtype_policy(before)
