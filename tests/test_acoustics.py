"""The acoustic front end against librosa, and augmentation against its definition."""

import keras
import librosa
import numpy as np
import pytest
from keras import ops

from kerasseq import UserError, backend
from kerasseq.acoustics import FrequencyWarp, LogMel, SpecAugment, mel_filters, spectrogram
from kerasseq.acoustics.mel import mel_edges
from kerasseq.precision import dtype_policy_scope

pytestmark = pytest.mark.backends

RATE = 16000


def sound(seed=0, n=3, samples=RATE):
    """Noise that grows louder, of rows of different lengths, and their mask."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, samples)) * np.geomspace(1, 5000, samples)
    lengths = np.linspace(samples, samples // 3, n).astype(int)
    mask = np.arange(samples) < lengths[:, None]
    return np.where(mask, values, 0).astype("int16"), mask


def numpy(values):
    return ops.convert_to_numpy(values)


def compiled(layer):
    """`layer(values, mask)`, compiled, from and to NumPy."""
    run = backend.compile_function(layer.variables, lambda values, mask: tuple(layer(values, mask)))
    return lambda *args: [numpy(x) for x in run(*map(ops.convert_to_tensor, args))]


def librosas(values, layer, **options):
    """The log-mel spectrum of float samples by librosa, which centres its windows in `n_fft`."""
    before = (layer.n_fft - layer.window) // 2
    behind = layer.n_fft - layer.window - before
    power = librosa.feature.melspectrogram(
        y=np.pad(values, [(0, 0), (before, behind)]),
        sr=layer.rate,
        n_fft=layer.n_fft,
        win_length=layer.window,
        hop_length=layer.hop,
        center=False,
        n_mels=layer.width,
        **options,
    )
    return np.log(np.maximum(power, 1e-10)).transpose(0, 2, 1)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize(
    "rate, n_fft, mels, low, high", [(16000, 512, 40, 0, None), (8000, 1024, 64, 20, 3800)]
)
def test_mel_filters_are_librosas(scale, rate, n_fft, mels, low, high):
    wanted = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=mels, fmin=low, fmax=high, htk=scale == "htk"
    )
    np.testing.assert_allclose(
        mel_filters(rate, n_fft, mels, low, high, scale).T, wanted, atol=1e-6
    )


def test_too_narrow_filters_are_refused():
    with pytest.raises(UserError, match="choose fewer mels or a larger n_fft"):
        LogMel(rate=8000, mels=200)


@pytest.mark.parametrize("seconds", [1.0, 12.0])
def test_log_mel_is_librosas(seconds):
    values, mask = sound(n=2, samples=int(seconds * RATE))
    layer = LogMel(normalization="none", floor=1e-10)
    got, real = compiled(layer)(values, np.ones_like(mask))
    np.testing.assert_allclose(got, librosas(values / np.float32(32768), layer), atol=1e-4)
    assert real.all()


def test_other_options_are_librosas():
    values, mask = sound(n=2)
    layer = LogMel(8000, 30, 0.032, 0.012, 512, 50, 3500, "htk", 0.97, 0.0, 1e-10, "none")
    emphasised = values / np.float32(32768)
    emphasised[:, 1:] -= 0.97 * emphasised[:, :-1].copy()
    wanted = librosas(emphasised, layer, fmin=50, fmax=3500, htk=True)
    got, _ = compiled(layer)(values, np.ones_like(mask))
    np.testing.assert_allclose(got, wanted, atol=1e-4)


@pytest.mark.parametrize(
    "normalization, pre_emphasis",
    [("utterance", 0.0), ("mean", 0.0), ("running", 0.97), ("none", 0.97)],
)
def test_padding_changes_nothing(normalization, pre_emphasis):
    layer = LogMel(mels=40, normalization=normalization, pre_emphasis=pre_emphasis)
    run = compiled(layer)
    values, mask = sound(n=3, samples=9000)
    values[2], mask[2, 100:] = values[2, ::-1], False  # shorter than a window
    noise = np.random.default_rng(1).integers(-9999, 9999, (3, 14000)).astype("int16")
    noise[:, :9000] = np.where(mask, values, noise[:, :9000])
    got, real = run(noise, np.pad(mask, [(0, 0), (0, 5000)]))
    assert not got[~real].any()
    for row in (1, 2):
        length = mask[row].sum()
        wanted, every = run(values[row : row + 1, :length], np.ones((1, length), bool))
        assert every.all() and real[row].sum() == every.shape[1]
        assert every.shape[1] == max(1, 1 + (length - 400) // 160)
        np.testing.assert_allclose(got[row][real[row]], wanted[0], atol=2e-4)


def test_utterance_normalisation():
    for row, mask in zip(*compiled(LogMel())(*sound()), strict=True):
        np.testing.assert_allclose(row[mask].mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(row[mask].std(axis=0), 1, atol=1e-3)


def test_running_normalisation_is_of_the_past():
    values, mask = sound()
    plain = compiled(LogMel(normalization="none"))(values, mask)[0][0]
    got = compiled(LogMel(normalization="running", prior=10.0))(values, mask)[0][0]
    mean, variance = spectrogram.PRIOR_MEAN, spectrogram.PRIOR_VARIANCE
    for t in (0, 7, len(plain) - 1):
        past = plain[: t + 1].astype("float64")
        weight = t + 1 + 10.0
        centre = (past.sum(axis=0) + 10 * mean) / weight
        square = ((past**2).sum(axis=0) + 10 * (variance + mean**2)) / weight
        wanted = (past[-1] - centre) / np.sqrt(square - centre**2)
        np.testing.assert_allclose(got[t], wanted, atol=1e-3)


def test_float32_in_mixed_precision():
    with dtype_policy_scope("mixed_float16"):
        layer = LogMel()
    assert compiled(layer)(*sound())[0].dtype == "float32"
    assert LogMel.from_config(layer.get_config()).get_config() == layer.get_config()


def test_dither_is_for_training():
    layer = LogMel(dither=1.0, normalization="none", floor=1e-10)
    values, mask = np.zeros((1, 4000), "int16"), np.ones((1, 4000), bool)
    assert np.allclose(compiled(layer)(values, mask)[0], np.log(1e-10))
    train = backend.compile_function(
        layer.variables, lambda v, m: layer(v, m, training=True).values
    )
    noisy = np.exp(numpy(train(*map(ops.convert_to_tensor, (values, mask)))))
    # The power of noise: the sum of the window's squares and of a filter, and a bit squared.
    wanted = 150 * mel_filters(RATE, 512, 80).sum(axis=0) / 32768.0**2
    np.testing.assert_allclose(noisy.mean(), wanted.mean(), rtol=0.2)


def test_eager_is_compiled():
    layer = LogMel(mels=40)
    values, mask = sound(n=9, samples=40000)
    assert 9 * 250 > spectrogram.FRAMES_AT_ONCE
    memory = layer(values, mask)
    got, real = compiled(layer)(values, mask)
    np.testing.assert_allclose(got, numpy(memory.values), atol=1e-4)
    assert (real == numpy(memory.mask)).all()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="unknown shapes")
def test_unknown_shapes():
    import tensorflow as tf

    layer = LogMel(mels=40)
    specs = [tf.TensorSpec([None, None], "int16"), tf.TensorSpec([None, None], "bool")]
    traced = tf.function(lambda v, m: layer(v, m), input_signature=specs)
    for samples in (200, 5000, 180000):
        values, mask = sound(n=2, samples=samples)
        np.testing.assert_allclose(
            numpy(traced(values, mask).values), numpy(layer(values, mask).values), atol=1e-4
        )


def run_stream(layer, values, chunk):
    """`values` through the layer, chunk by chunk."""
    stream, flush = (
        backend.compile_function(layer.variables, f) for f in (layer.stream, layer.flush)
    )
    begin = backend.compile_function(
        layer.variables, lambda rows: layer.begin_stream(rows.shape[0])
    )
    state, outputs = begin(ops.zeros((len(values), 1))), []
    place, end = 0, layer.lead + chunk
    while end <= values.shape[1]:
        output, state = stream(ops.convert_to_tensor(values[:, place:end]), state)
        assert output.shape[1] == chunk // layer.factor
        outputs.append(output)
        place, end = end, end + chunk
    outputs.append(flush(ops.convert_to_tensor(values[:, place:]), state))
    return np.concatenate([numpy(output) for output in outputs], axis=1)


def test_the_mean_goes_and_quiet_bands_stay_quiet():
    values, mask = sound()
    plain, real = compiled(LogMel(normalization="none"))(values, mask)
    got, _ = compiled(LogMel(normalization="mean"))(values, mask)
    for row, wanted, kept in zip(got, plain, real, strict=True):
        wanted = wanted[kept] - wanted[kept].mean(axis=0)
        np.testing.assert_allclose(row[kept], wanted / spectrogram.PRIOR_VARIANCE**0.5, atol=1e-4)


@pytest.mark.parametrize("normalization, pre_emphasis", [("running", 0.97), ("none", 0.0)])
def test_stream_is_the_whole(normalization, pre_emphasis):
    values, mask = sound(n=2, samples=10077)
    layer = LogMel(mels=40, normalization=normalization, pre_emphasis=pre_emphasis)
    wanted, _ = compiled(layer)(values, np.ones_like(mask))
    np.testing.assert_allclose(run_stream(layer, values, 1600), wanted, atol=2e-4)
    assert layer.latency == layer.window - 1


def test_an_utterance_cannot_stream():
    with pytest.raises(UserError, match="running"):
        LogMel().begin_stream(1)


def spec_augmented(n=500, steps=60, width=20, **options):
    layer = SpecAugment(**options)
    layer.build((None, None, width))
    lengths = np.where(np.arange(n) % 2, steps, steps // 2)
    mask = np.arange(steps) < lengths[:, None]
    run = backend.compile_function(layer.variables, lambda v, m: layer(v, m, training=True).values)
    return numpy(run(ops.ones((n, steps, width)), ops.convert_to_tensor(mask))), lengths


def test_spec_augment_in_time():
    values, lengths = spec_augmented(
        frequency_masks=0, time_masks=1, time_width=15, time_fraction=0.4
    )
    assert (values == values[:, :, :1]).all()
    masked = (values[:, :, 0] == 0).sum(axis=1)
    # Half of the rows are 30 long, so their masks at most 12; widths are drawn evenly.
    assert masked[lengths == 30].max() == 12 and masked[lengths == 60].max() == 15
    np.testing.assert_allclose(masked[lengths == 30].mean(), 6, atol=1)
    np.testing.assert_allclose(masked[lengths == 60].mean(), 7.5, atol=1)
    assert not (values[lengths == 30, 30:] == 0).any()
    for row, count in zip(values[:, :, 0] == 0, masked, strict=True):
        places = np.flatnonzero(row)
        assert count == 0 or places[-1] - places[0] + 1 == count
    # Every place is masked at some time, and none much more than others but at the edges.
    places = (values[lengths == 60, :, 0] == 0).mean(axis=0)
    assert places.min() > 0 and abs(places[20:40].mean() - 7.5 / 52) < 0.04


def test_spec_augment_in_frequency():
    values, _ = spec_augmented(frequency_masks=2, frequency_width=6, time_masks=0)
    assert (values == values[:, :1]).all()
    masked = (values[:, 0] == 0).sum(axis=1)
    assert masked.max() in (11, 12) and 4 < masked.mean() < 6.5
    # The widest may be more than there is.
    values, _ = spec_augmented(frequency_masks=1, frequency_width=99, time_masks=0)
    np.testing.assert_allclose((values[:, 0] == 0).sum(axis=1).mean(), 10, atol=1.5)


def test_spec_augment_is_for_training():
    layer = SpecAugment()
    values = np.ones((2, 30, 8), "float32")
    memory = layer(values, np.ones((2, 30), bool))
    assert (numpy(memory.values) == 1).all()
    assert SpecAugment.from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_warp_moves_formants_and_leaves_the_top():
    layer = FrequencyWarp(16000, "htk", extent=0.2)
    layer.build((None, None, 80))
    centres = mel_edges(16000, 80, scale="htk")[1:-1]
    heard = centres @ layer._warps  # where each band of each factor listens, about
    factors = np.linspace(0.8, 1.2, layer.factors)
    low = (centres > 200) & (centres < 3000)
    np.testing.assert_allclose(heard[:, low], factors[:, None] * centres[low], rtol=0.01)
    np.testing.assert_allclose(heard[:, -1], centres[-1], rtol=0.03)
    np.testing.assert_allclose(layer._warps[layer.factors // 2], np.eye(80), atol=1e-6)
    np.testing.assert_allclose(layer._warps.sum(axis=1), 1, rtol=1e-6)  # a level stays a level
    assert (np.diff(heard, axis=1) > 0).all()


def test_a_warp_is_for_training_and_each_row_has_its_own():
    layer = FrequencyWarp(extent=0.1)
    values = np.tile(np.linspace(-1, 1, 40, dtype="float32"), (30, 6, 1))
    mask = np.ones((30, 6), bool)
    assert (numpy(layer(values, mask).values) == values).all()
    warped = numpy(layer(values, mask, training=True).values)
    assert (warped == warped[:, :1]).all()
    assert len(np.unique(warped[:, 0, 20])) > 10
    assert FrequencyWarp.from_config(layer.get_config()).get_config() == layer.get_config()
    with pytest.raises(UserError, match="0.5"):
        FrequencyWarp(extent=0.5)


def test_a_margin_is_the_quietest_frame_of_each_row():
    lengths = np.array([4000, 2500, 10])
    mask = np.arange(4000) < lengths[:, None]
    sound = np.random.default_rng(1).normal(size=(3, 4000)) * np.linspace(1, 3000, 4000)
    sound = (np.abs(np.linspace(-1, 1, 4000)) * sound * mask).astype("int16")
    plain, wide = (
        LogMel(8000, 20, normalization="none"),
        LogMel(8000, 20, normalization="none", margin=3),
    )
    (frames, real), memory = plain(sound, mask), wide(sound, mask)
    frames, real = numpy(frames), numpy(real)
    heard, mine = numpy(memory.values), numpy(memory.mask)
    assert wide.margin == 3 * wide.hop and plain.streams and not wide.streams
    assert mine.sum(axis=1).tolist() == (real.sum(axis=1) + 6).tolist()
    for row in range(3):
        own = frames[row][real[row]]
        quiet = own[own.mean(axis=-1).argmin()]
        np.testing.assert_allclose(
            heard[row][mine[row]], [quiet] * 3 + [*own] + [quiet] * 3, rtol=1e-5
        )
    assert not heard[~mine].any()
    mean = numpy(LogMel(8000, 20, normalization="mean", margin=3)(sound, mask).values)
    np.testing.assert_allclose(mean.sum(axis=1), 0, atol=1e-3)  # the margin is part of the mean
    with pytest.raises(UserError, match="and no margin, not 3"):
        wide.begin_stream(1)
