"""The contract of the layers between sound and decoder: padding, streams, files, training."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import UserError
from kerasseq.acoustics import FrequencyWarp, LogMel, SpecAugment
from kerasseq.encoders import (
    Chain,
    Conformer,
    ConvolutionalSubsampling,
    FrameStacking,
    Projection,
    RNNEncoder,
    RowConvolution,
    TransformerEncoder,
)
from kerasseq.precision import dtype_policy_scope
from tests.test_acoustics import compiled, numpy, run_stream, sound
from tests.thorough import cases, thorough

pytestmark = pytest.mark.backends

WIDTH = 12

LAYERS = {
    "stacking": lambda: FrameStacking(3),
    "convolution": lambda: ConvolutionalSubsampling(5, 16),
    "half": lambda: ConvolutionalSubsampling(5, 16, factor=2),
    "projection": lambda: Projection(16),
    "positions": lambda: Projection(16, positions=True, norm=True, dropout=0.2),
    "warp": lambda: FrequencyWarp(extent=0.2),
    "lookahead": lambda: RowConvolution(2),
    "rnn": lambda: RNNEncoder(8, 2, residual=True, dropout=0.2),
    "pyramid": lambda: Chain(
        [
            RNNEncoder(8, bidirectional=True),
            FrameStacking(2),
            RNNEncoder(8, 1, "gru", bidirectional=True),
        ]
    ),
    "latency-controlled": lambda: Chain(
        [
            RNNEncoder(8, 2, bidirectional=True, chunk=4, ahead=3, offset=2),
            FrameStacking(2),
            RNNEncoder(8, 1, "gru", bidirectional=True, residual=True, chunk=2, ahead=1),
        ]
    ),
    "conformer": lambda: Conformer(1, 2, 16, kernel_size=3, dropout=0.1, attention_dropout=0.1),
    "chunks": lambda: Conformer(2, 2, 8, kernel_size=5, chunk=3, left=1, dropout=0.1),
    "transformer": lambda: Chain(
        [
            SpecAugment(time_width=4, frequency_width=3),
            ConvolutionalSubsampling(4, 16),
            Projection(16, positions=True),
            TransformerEncoder(1, 2, 16, dropout=0.1),
        ]
    ),
}
STREAMING = {
    name: make
    for name, make in {
        **LAYERS,
        "deep": lambda: Chain(
            [
                RowConvolution(3),
                FrameStacking(2),
                ConvolutionalSubsampling(3, 8),
                RowConvolution(1),
            ]
        ),
    }.items()
    if make().streams
}


def made(make):
    """A layer, built, with weights that are no longer as they begin."""
    layer = make()
    layer.build((None, None, WIDTH))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_variables:
        weight.assign(numpy(weight) + 0.1 * rng.normal(size=weight.shape))
    return layer


def features(seed=0, n=3, steps=13):
    rng = np.random.default_rng(seed)
    lengths = np.linspace(steps, steps // 3, n).astype(int)
    return rng.normal(size=(n, steps, WIDTH)).astype("float32"), np.arange(steps) < lengths[:, None]


@pytest.mark.parametrize("name", LAYERS)
def test_padding_changes_nothing(name):
    layer = made(LAYERS[name])
    values, mask = features()
    noise = np.random.default_rng(1).normal(size=(3, 20, WIDTH)).astype("float32") * 9
    noise[:, :13] = np.where(mask[:, :, None], values, noise[:, :13])
    run = compiled(layer)
    got, real = run(noise, np.pad(mask, [(0, 0), (0, 7)]))
    assert got.shape[-1] == layer.width
    length = mask[2].sum()
    wanted, every = run(values[2:, :length], np.ones((1, length), bool))
    assert every.all() and real[2].sum() == every.shape[1] == -(-length // layer.factor)
    np.testing.assert_allclose(got[2][real[2]], wanted[0], atol=2e-5)


@pytest.mark.parametrize("last", [0, 5])
@pytest.mark.parametrize(
    "name", cases(STREAMING, *(name for name in STREAMING if name != "latency-controlled"))
)
def test_stream_is_the_whole(name, last):
    layer = made(STREAMING[name])
    values, mask = features(n=2, steps=layer.lead + 6 * layer.block + last)
    wanted, _ = compiled(layer)(values, np.ones_like(mask))
    got = run_stream(layer, values, 2 * layer.block)
    np.testing.assert_allclose(got, wanted, atol=2e-5)


@pytest.mark.parametrize("name", STREAMING)
def test_latency_is_what_an_output_needs(name):
    layer = made(STREAMING[name])
    values, _ = features(n=1, steps=layer.lead + 4 * layer.block)
    steps = values.shape[1]
    # As many rows as steps, and in each another step changed; the last row is as it was.
    changed = np.repeat(values, steps + 1, axis=0)
    changed[np.arange(steps), np.arange(steps)] += 1
    outputs, _ = compiled(layer)(changed, np.ones(changed.shape[:2], bool))
    differs = np.abs(outputs[:-1] - outputs[-1]).max(axis=-1) > 1e-7
    step, output = np.nonzero(differs)
    assert max(step - output * layer.factor) == layer.latency


def speech_chain(normalization="running"):
    return Chain(
        [
            LogMel(mels=20, normalization=normalization),
            SpecAugment(time_width=4, frequency_width=3),
            FrameStacking(3),
            RNNEncoder(8, 2),
            RowConvolution(2),
        ]
    )


def test_a_stream_of_sound():
    chain = speech_chain()
    chain.build((None, None))
    values, mask = sound(n=2, samples=20011)
    wanted, _ = compiled(chain)(values, np.ones_like(mask))
    assert chain.factor == 480 and chain.lead == 240 + 2 * 480
    assert chain.latency == 399 + 2 * 160 + 2 * 480
    np.testing.assert_allclose(run_stream(chain, values, 960), wanted, atol=1e-4)


def test_what_cannot_stream_says_so():
    chain = Chain([FrameStacking(2), RNNEncoder(4, bidirectional=True, name="both")])
    chain.build((None, None, WIDTH))
    with pytest.raises(UserError, match="'both' cannot stream"):
        chain.begin_stream(1)


@pytest.mark.parametrize("name", LAYERS)
def test_configurations(name):
    layer = LAYERS[name]()
    config = keras.saving.serialize_keras_object(layer)
    assert keras.saving.serialize_keras_object(keras.saving.deserialize_keras_object(config)) == (
        config
    )


@keras.saving.register_keras_serializable("kerasseq_tests")
class Mean(keras.Model):
    """The mean of all of an encoder's memory."""

    def __init__(self, encoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder

    def build(self, _=None):
        self.encoder.build((None, None))
        self.built = True

    def call(self, inputs, training=False):
        values, mask = self.encoder(inputs["values"], inputs["mask"], training=training)
        mask = ops.cast(mask, values.dtype)[:, :, None]
        return ops.cast(ops.sum(values * mask, axis=1) / ops.sum(mask, axis=1), "float32")

    def get_config(self):
        return {"encoder": keras.saving.serialize_keras_object(self.encoder)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["encoder"]))


def everything():
    """A chain of nearly every layer there is, from sound."""
    return Chain(
        [
            LogMel(mels=20, dither=1.0, pre_emphasis=0.9),
            SpecAugment(time_width=4, frequency_width=3),
            ConvolutionalSubsampling(3, 8),
            Projection(8, norm=True, dropout=0.1),
            Conformer(1, 2, 8, kernel_size=3, chunk=2, dropout=0.1, attention_dropout=0.1),
            RNNEncoder(4, bidirectional=True, dropout=0.1),
            FrameStacking(2),
            RowConvolution(1),
        ]
    )


@thorough
def test_a_training_step_and_a_file(tmp_path):
    with dtype_policy_scope("mixed_bfloat16"):
        model = Mean(everything())
        model.build()
    jit = keras.backend.backend() != "torch"
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=jit)
    values, mask = sound(n=4, samples=8000)
    before = [numpy(v) for v in model.trainable_variables]
    loss = model.train_on_batch({"values": values, "mask": mask}, np.ones((4, 16), "float32"))
    assert np.isfinite(loss)
    for old, new in zip(before, model.trainable_variables, strict=True):
        assert np.isfinite(numpy(new)).all() and (numpy(new) != old).any(), new.path

    model.save(tmp_path / "m.keras")
    with dtype_policy_scope("mixed_bfloat16"):
        loaded = keras.saving.load_model(tmp_path / "m.keras")
    outputs, _ = compiled(model.encoder)(values, mask)
    again, _ = compiled(loaded.encoder)(values, mask)
    assert outputs.dtype == again.dtype == "bfloat16"
    np.testing.assert_array_equal(outputs, again)
