"""The speech recognisers: what they learn, and what they write."""

import io
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

import kerasseq
from kerasseq import Beam, Greedy, NGram, Options, SpeechPreprocessor, UserError, backend
from kerasseq.applications.speech_recognition.config import configure
from kerasseq.applications.speech_recognition.model import build
from kerasseq.applications.speech_recognition.report import _cut_margin
from kerasseq.cli import main
from kerasseq.masking import Memory
from kerasseq.metrics import wer
from kerasseq.models import CTC
from kerasseq.models.ctc import ctc_mean
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.stream import Stream
from kerasseq.transduction.ctc import ctc_consistency
from tests import tones
from tests.thorough import cases

KINDS = {
    "ctc": [],
    "transducer": ["model.units=24", "model.joint=24", "model.dropout=0.0"],
    "attention": ["model.units=32", "model.dropout=0.0"],
    "transducer-attention": ["model.units=24", "model.joint=24", "model.dropout=0.0"],
    "hybrid": ["model.units=32", "model.dropout=0.0"],
}
STEPS = {
    "ctc": 150,
    "transducer": 250,
    "attention": 250,
    "transducer-attention": 250,
    "hybrid": 200,
}

EVERY_KIND = pytest.mark.parametrize("kind", cases(KINDS, "ctc"))


def made(kind, *settings):
    keras.utils.set_random_seed(1)
    every = [*tones.SETTINGS, f"model.kind={kind}", *KINDS[kind], *settings]
    config = configure({}, None, "ctc", every)
    preprocessor = SpeechPreprocessor.learn(
        [" ".join(tones.WORDS)] * 5,
        "word",
        20,
        rate=tones.RATE,
        end=kind in ("attention", "hybrid"),
    )
    return build(config.model, config.sound, preprocessor)


def trained(model, steps):
    model.compile(optimizer=keras.optimizers.Adam(5e-3, clipnorm=5.0))
    step = backend.make_stepper(model)
    for seed in range(steps):
        sounds, texts = tones.recordings(16, 1000 + seed)
        features = model.preprocessor.features(sounds)
        # One shape for all batches.
        width = model.preprocessor.padded_length(10_000)
        features = {
            key: np.pad(array, ((0, 0), (0, width - array.shape[1])))
            for key, array in features.items()
        }
        tokens, labels, weights = model.preprocessor.targets(texts)
        step(({**features, "tokens": tokens}, labels, weights))
    step.sync()
    return model


@pytest.fixture(scope="module")
def learned():
    models = {}

    def model(kind):
        if kind not in models:
            models[kind] = trained(made(kind), STEPS[kind])
        return models[kind]

    return model


@EVERY_KIND
def test_it_learns_tones(kind, learned):
    model = learned(kind)
    sounds, texts = tones.recordings(40, 5)
    assert wer(model.generate(sounds), texts).value < 8
    assert wer(model.generate(sounds, Options(Beam(4))), texts).value < 8


@EVERY_KIND
def test_words_are_heard_where_they_are(kind, learned):
    model = learned(kind)
    rng = np.random.default_rng(3)
    pause = (100 * rng.normal(size=1000)).astype(np.int16)
    parts = [tones.spoken("hi", rng), pause, tones.spoken("lo", rng)]
    sound = np.concatenate(parts)
    ((best, *_),) = model.hypotheses([sound])
    words = model.words(sound, best)
    assert [word.text for word in words] == ["hi", "lo"]
    assert 0 <= words[0].start <= words[1].start
    assert words[1].start < words[1].end <= len(sound) / tones.RATE + 0.05
    if kind != "attention":  # which has seen all of so short a sound wherever it looks
        assert words[0].end < 0.65
        assert words[1].start > (len(parts[0]) + 1000) / tones.RATE - 0.3
    assert all(0 < word.confidence <= 1 for word in words)


@EVERY_KIND
def test_texts_depend_on_nothing_but_the_recording(kind, learned):
    model = learned(kind)
    sounds, _ = tones.recordings(4, 11)
    for options in (Options(Greedy()), Options(Beam(3))):
        together = model.generate(sounds, options)
        assert together == model.generate(sounds, options, batch_size=1)


@EVERY_KIND
def test_a_file_holds_all_of_it(kind, learned, tmp_path):
    model = learned(kind)
    texts = tones.recordings(30, 7)[1]
    units = model.preprocessor.tokenizer("target").encode(texts)
    model.language_model = NGram.learn(units, model.preprocessor.target_vocabulary_size, order=2)
    sounds = tones.recordings(5, 13)[0]
    options = Options(Beam(3), lm_weight=0.3)
    try:
        model.save(tmp_path / "model.keras")
        other = kerasseq.load(tmp_path / "model.keras")
        assert other.generate(sounds, options) == model.generate(sounds, options)
    finally:
        model.language_model = None


@pytest.mark.parametrize("kind", cases(["ctc", "transducer", "hybrid"], "ctc"))
def test_a_language_model_has_its_say(kind, learned):
    model = learned(kind)
    size = model.preprocessor.target_vocabulary_size
    units = model.preprocessor.tokenizer("target").encode(["mid mid mid mid"] * 20)
    sounds = tones.recordings(6, 17)[0]
    alone = model.generate(sounds, Options(Beam(4)))
    model.language_model = NGram.learn(units, size, order=2)
    try:
        swayed = model.generate(sounds, Options(Beam(4), lm_weight=30.0))
    finally:
        model.language_model = None
    assert swayed != alone
    assert "hi" not in " ".join(swayed)
    with pytest.raises(UserError, match="without a language model"):
        model.generate(sounds, Options(Beam(4), lm_weight=1.0))


def test_the_loss_of_two_passes():
    rng = np.random.default_rng(0)
    mask = np.arange(9) < np.array([9, 7, 3])[:, None]
    one, two = (Memory(rng.normal(size=(3, 9, 6)).astype("float32"), mask) for _ in range(2))
    labels = np.array([[3, 4, 5, 0, 0], [3, 3, 0, 0, 0], [3, 4, 5, 3, 4]])  # the last is too long
    weights = (labels > 0).astype("float32")
    both = [float(ctc_mean(x, labels, weights)) for x in (one, two)]
    apart = ops.convert_to_numpy(ctc_consistency(one.values, two.values, mask))[:2].sum() / 5
    got = float(ctc_mean(one, labels, weights, two, 0.7))
    assert got == pytest.approx(sum(both) / 2 + 0.7 * apart, rel=1e-5)
    last = [Memory(x.values[2:], mask[2:]) for x in (one, two)]
    assert float(ctc_mean(last[0], labels[2:], weights[2:], last[1], 0.7)) == 0


@pytest.mark.backends
@pytest.mark.parametrize("kind", ["ctc", "hybrid"])
def test_passes_with_other_dropout_cost_more_the_more_they_count(kind):
    model = made(kind, "model.encoder.dropout=0.5")
    sounds, texts = tones.recordings(4, 5)
    tokens, labels, weights = model.preprocessor.targets(texts)
    x = {**model.preprocessor.features(sounds), "tokens": tokens}
    first = model(x, training=True)
    losses = []
    for alpha in (1e-9, 10.0, 1000.0):
        model.compile(optimizer="adam", r_drop=alpha)
        losses.append(float(model.compute_loss(x, labels, first, weights)))
    assert losses[0] + 1e-3 < losses[1] < losses[2] / 3


@pytest.mark.backends
@pytest.mark.parametrize("kind", ["ctc", "hybrid"])
def test_without_dropout_two_passes_are_one(kind):
    model = made(kind)
    sounds, texts = tones.recordings(4, 5)
    tokens, labels, weights = model.preprocessor.targets(texts)
    x = {**model.preprocessor.features(sounds), "tokens": tokens}
    plain = float(model.compute_loss(x, labels, model(x, training=True), weights))
    model.compile(optimizer="adam", r_drop=3.0)
    again = float(model.compute_loss(x, labels, model(x, training=True), weights))
    assert again == pytest.approx(plain, rel=1e-5)


WIDE = ["model.encoder.width=16", "model.encoder.filters=4", "model.encoder.heads=2"]
STREAMING = {
    "conv-lstm": ["model.encoder.lookahead=1"],
    "conv-blstm": ["model.encoder.pyramid=true", "model.encoder.chunk=3", "model.encoder.ahead=1"],
}


@pytest.mark.parametrize("kind", cases(STREAMING))
def test_a_stream_hears_what_the_whole_does(kind, tmp_path, monkeypatch, capsys):
    settings = [f"model.encoder.kind={kind}", *STREAMING[kind], *WIDE[:2]]
    model = made("transducer", *settings, "sound.normalization=running")
    trained(model, 250)
    sounds, texts = tones.recordings(6, 21)
    # A stream is written greedily.
    whole = model.generate(sounds, Options(Greedy()))
    assert wer(whole, texts).value < 40
    for sound, text in zip(sounds, whole, strict=True):
        stream = Stream(model, chunk=0.1)
        partial = [stream.push(some) for some in np.array_split(sound, 13)]
        assert stream.finish() == text
        assert all(text.startswith(some) for some in partial)
    assert 0.1 < stream.latency < 0.5

    # The same on standard input, through the command, and with half a sample at the end.
    model.save(tmp_path / "model.keras")
    for sound, text, more in zip(sounds[:2], whole, ([], ["--json"]), strict=False):
        raw = SimpleNamespace(buffer=io.BytesIO(sound.astype("<i2").tobytes() + b"?"))
        monkeypatch.setattr("sys.stdin", raw)
        assert main(["transcribe", str(tmp_path / "model.keras"), "-", *more]) == 0
        written = capsys.readouterr().out
        if not more:
            assert written == text + "\n"
            continue
        rows = [json.loads(line) for line in written.splitlines()]
        assert rows[-1]["text"] == text
        assert [row["final"] for row in rows] == [False] * (len(rows) - 1) + [True]
        assert len(rows) >= 2 and all(text.startswith(row["text"]) for row in rows)
    raw = SimpleNamespace(buffer=io.BytesIO(b"RIFF" + sounds[0].tobytes()))
    monkeypatch.setattr("sys.stdin", raw)
    assert main(["transcribe", str(tmp_path / "model.keras"), "-"]) != 0
    assert "Standard input is a sound file, not raw samples" in capsys.readouterr().err


def test_what_cannot_stream_says_so():
    for kind, reason in (
        ("ctc", "Only a transducer"),
        ("transducer-attention", "without attention"),
        ("transducer", "model.encoder.kind=conv-lstm"),
    ):
        with pytest.raises(UserError, match=reason):
            Stream(made(kind))


ENCODERS = {
    "conv-blstm": WIDE[:2],
    "conv-blstm-in-pairs": [*WIDE[:2], "model.encoder.pyramid=true", "model.encoder.layers=2"],
    "blstm": ["model.encoder.pyramid=true", "model.encoder.layers=2"],
    "lstm": [],
    "conv-blstm-in-warped-bands": [*WIDE[:2], "sound.warp=0.1"],
    "conv-lstm": [*WIDE[:2], "model.encoder.lookahead=1"],
    "transformer": WIDE,
    "conformer": WIDE,
    "conformer-in-chunks": [*WIDE, "model.encoder.chunk=4", "sound.normalization=running"],
}


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_hears(name):
    kind = name.split("-in-")[0]
    model = made("ctc", f"model.encoder.kind={kind}", *ENCODERS[name])
    sounds, texts = tones.recordings(4, 9)
    features = model.preprocessor.features(sounds)
    tokens, labels, weights = model.preprocessor.targets(texts)
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    step = backend.make_stepper(model)
    losses = [float(step(({**features, "tokens": tokens}, labels, weights))) for _ in range(5)]
    step.sync()
    assert losses[-1] < losses[0]
    seconds = model.encoder.factor / tones.RATE
    assert 0.03 < seconds < 0.05
    logits = model(features)
    assert abs(logits.values.shape[1] - features["values"].shape[1] / tones.RATE / seconds) < 3


@pytest.mark.parametrize("kind", ["ctc", "transducer", "attention"])
def test_a_margin_gives_short_words_room_and_moves_no_times(kind):
    plain, wide = made(kind), made(kind, "sound.margin=40")
    sound = tones.recordings(1, 5)[0][0][: int(0.3 * tones.RATE)]
    features = plain.preprocessor.features([sound])
    steps = [
        int(ops.convert_to_numpy(model.encode(features).mask).sum()) for model in (plain, wide)
    ]
    assert steps[1] - steps[0] == 2 * wide.margin // wide.factor == 20
    tokens = (4, 5)
    for frames, start, end in (((0, 1), 0.0, 0.0), ((11, 12), 0.04, 0.12), ((24, 25), 0.3, 0.3)):
        hypothesis = Hypothesis("", 0.0, tokens, frames=frames, log_probs=(-0.1, -0.1))
        words = wide.words(sound, hypothesis)
        assert (words[0].start, words[-1].end) == pytest.approx((start, end), abs=1e-3)


def test_the_picture_of_an_alignment_has_no_margin():
    model = made("ctc", "sound.margin=40")
    weights = np.zeros((3, 27))
    weights[[0, 1, 2], [4, 12, 25]] = 0.5  # before, in and after the recording's 7 steps
    inner = _cut_margin(model, weights)
    assert inner.shape == (3, 7) and inner.argmax(axis=1).tolist() == [0, 2, 6]
    assert _cut_margin(made("ctc"), weights) is weights


@EVERY_KIND
def test_every_model_comes_with_settings(kind):
    config = configure({"dataset": "an4"}, kind)
    assert config.model.kind == kind and config.training.best_by == "wer"


def test_rows_that_no_path_spells_do_not_count():
    model = made("ctc")
    assert isinstance(model, CTC)
    sounds, texts = tones.recordings(2, 3)
    features = model.preprocessor.features(sounds)
    _, labels, weights = model.preprocessor.targets(texts)
    loss = float(model.compute_loss(features, labels, model(features), weights))
    long = np.full((1, 2000), labels.max(), np.int32)
    both = {key: np.concatenate([array, array[:1]]) for key, array in features.items()}
    pad = ((0, 0), (0, 2000 - labels.shape[1]))
    more = np.concatenate([np.pad(labels, pad), long])
    counted = np.concatenate([np.pad(weights, pad), np.ones((1, 2000), np.float32)])
    assert float(model.compute_loss(both, more, model(both), counted)) == pytest.approx(loss, 1e-5)


def test_options_of_other_losses_are_refused():
    with pytest.raises(UserError, match=r"training\.label_smoothing is 0\.1"):
        made("ctc").compile(label_smoothing=0.1)
