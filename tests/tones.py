"""A language of tones for the tests of speech recognition: each word is a pitch."""

import numpy as np

RATE = 4000
PITCHES = {"lo": 300, "mid": 700, "hi": 1400}
WORDS = tuple(PITCHES)

# What makes a recogniser of tones small.
SETTINGS = [
    *("sound.rate=4000", "sound.mels=16", "sound.speeds=[1.0]", "sound.time_masks=0"),
    *("sound.frequency_masks=0", "model.encoder.kind=blstm", "model.encoder.units=24"),
    *("model.encoder.layers=1", "model.encoder.dropout=0.0", "tokenizer.kind=word"),
]


def said(rng: np.random.Generator) -> str:
    """A text of one to four words, of which no two that are alike follow each other."""
    words = [rng.choice(WORDS)]
    while len(words) < rng.integers(1, 5):
        words.append(rng.choice([word for word in WORDS if word != words[-1]]))
    return " ".join(words)


def spoken(text: str, rng: np.random.Generator) -> np.ndarray:
    """The text as sound (samples,) int16: tones of 0.16 to 0.24 s with pauses and noise."""
    pieces = [np.zeros(rng.integers(200, 1200))]
    for word in text.split():
        length = rng.integers(int(0.16 * RATE), int(0.24 * RATE))
        pieces.append(np.sin(2 * np.pi * PITCHES[word] * np.arange(length) / RATE))
        pieces.append(np.zeros(rng.integers(200, 1200)))
    sound = np.concatenate(pieces)
    return np.int16(8000 * sound + 100 * rng.normal(size=len(sound)))


def recordings(count: int, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    """Some recordings, and what is said in them."""
    rng = np.random.default_rng(seed)
    texts = [said(rng) for _ in range(count)]
    return [spoken(text, rng) for text in texts], texts
