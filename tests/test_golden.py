"""Model files of earlier versions load, and write what they wrote.

`python -m tests.test_golden` writes the files anew; do so only when the CHANGELOG says that old
files do not load.
"""

import json
from pathlib import Path

import keras
import pytest

from kerasseq.preprocessing import TextPreprocessor

from .contracts.zoo import model_of

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
