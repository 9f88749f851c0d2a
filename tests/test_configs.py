"""A configuration makes any number of layers that share nothing, and is never changed by it."""

import copy

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq.decoders import RNNDecoder
from kerasseq.encoders import RNNEncoder
from kerasseq.models import Seq2Seq
from tests.every_layer import ARGUMENTS, embedding, made, registered

pytestmark = pytest.mark.backends

EVERY_CLASS = pytest.mark.parametrize("kind", list(ARGUMENTS), ids=lambda kind: kind.__name__)


def parts(made_object):
    """All layers and variables of a layer, and itself."""
    if not isinstance(made_object, keras.layers.Layer):
        return [made_object]
    return [*made_object._flatten_layers(), *made_object.variables]


def spoilt(config):
    """Change all that can be changed in a configuration."""
    for item in config.values() if isinstance(config, dict) else config:
        if isinstance(item, dict | list):
            spoilt(item)
    config.clear()


def test_every_class_has_a_name_of_its_own():
    kinds = registered().values()
    assert set(kinds) == set(ARGUMENTS)
    assert len(kinds) == len(ARGUMENTS)


@EVERY_CLASS
def test_a_configuration_is_not_changed_and_makes_layers_that_share_nothing(kind):
    config = made(kind).get_config()
    before = copy.deepcopy(config)
    first, second = kind.from_config(config), kind.from_config(config)
    assert config == before
    assert not {id(part) for part in parts(first)} & {id(part) for part in parts(second)}
    described = first.get_config()
    spoilt(config)
    assert first.get_config() == described
    assert second.get_config() == described


@EVERY_CLASS
def test_what_a_configuration_is_changed_to_changes_no_layer(kind):
    layer = made(kind)
    before = copy.deepcopy(layer.get_config())
    spoilt(layer.get_config())
    assert layer.get_config() == before


@pytest.mark.parametrize("shared", [False, True])
def test_two_models_of_one_configuration_train_apart(shared):
    front = embedding()
    model = Seq2Seq(front, RNNEncoder(4), RNNDecoder(front if shared else embedding(), 6))
    config = model.get_config()
    one, other = Seq2Seq.from_config(config), Seq2Seq.from_config(config)
    assert (one.decoder.embedding is one.frontend) == shared
    other.set_weights(one.get_weights())
    for variable in one.trainable_variables:
        variable.assign(ops.zeros(variable.shape))
    assert any(np.any(weights != 0) for weights in other.get_weights())
    assert all(np.all(ops.convert_to_numpy(v) == 0) for v in one.trainable_variables)
