"""What holds for every decoder, score and alignment of the library."""

import functools

import numpy as np
import pytest
from keras import ops, tree

from kerasseq.masking import Memory
from tests.contracts import zoo
from tests.contracts.zoo import DECODERS, ENCODERS, VOCABULARY, WIDTH

pytestmark = pytest.mark.backends

EVERY_DECODER = pytest.mark.parametrize("name", list(DECODERS))
EVERY_ENCODER = pytest.mark.parametrize("name", list(ENCODERS))

# No test here changes a layer, and to build one takes a third of a test's time.
built_decoder = functools.cache(zoo.built_decoder)
built_encoder = functools.cache(zoo.built_encoder)


def memory(lengths, steps, seed=0, garbage=0.0):
    values = np.random.default_rng(seed).normal(size=(len(lengths), 9, WIDTH)).astype("float32")
    mask = np.arange(steps)[None] < np.array(lengths)[:, None]
    values = np.where(mask[:, :, None], values[:, :steps], garbage).astype("float32")
    return Memory(ops.convert_to_tensor(values), ops.convert_to_tensor(mask))


def tokens(rows, steps, seed=0):
    drawn = np.random.default_rng(seed).integers(0, VOCABULARY, size=(rows, steps))
    return ops.convert_to_tensor(drawn.astype("int32"))


def array(tensor):
    return ops.convert_to_numpy(tensor)


def steps_of(decoder, memory, ids, length=None):
    static, state = decoder.begin(memory, length or ids.shape[1])
    logits = []
    for position in range(ids.shape[1]):
        here = ops.convert_to_tensor(position, dtype="int32")
        step, state = decoder.step(ids[:, position], here, static, state)
        logits.append(array(step))
    return np.stack(logits, axis=1), state


@EVERY_DECODER
def test_step_is_call(name):
    decoder, source, ids = built_decoder(name), memory([5, 3, 1], 5), tokens(3, 6)
    stepped, _ = steps_of(decoder, source, ids)
    np.testing.assert_allclose(stepped, array(decoder(ids, source)), atol=2e-5)


@EVERY_DECODER
def test_source_padding_changes_nothing(name):
    decoder, ids = built_decoder(name), tokens(3, 4)
    short = array(decoder(ids, memory([5, 3, 1], 5)))
    padded = array(decoder(ids, memory([5, 3, 1], 9, garbage=7.0)))
    np.testing.assert_allclose(short, padded, atol=2e-5)


@EVERY_DECODER
def test_room_for_more_steps_changes_nothing(name):
    decoder, source, ids = built_decoder(name), memory([5, 3], 5), tokens(2, 4)
    exact, _ = steps_of(decoder, source, ids)
    roomy, _ = steps_of(decoder, source, ids, length=9)
    np.testing.assert_allclose(exact, roomy, atol=2e-5)


@EVERY_DECODER
def test_a_later_token_changes_no_earlier_logits(name):
    decoder, source, ids = built_decoder(name), memory([5, 3], 5), array(tokens(2, 6))
    other = ids.copy()
    other[:, 4:] = (other[:, 4:] + 1) % VOCABULARY
    before = array(decoder(ops.convert_to_tensor(ids), source))
    after = array(decoder(ops.convert_to_tensor(other), source))
    np.testing.assert_allclose(before[:, :4], after[:, :4], atol=2e-5)
    assert not np.allclose(before[:, 4:], after[:, 4:], atol=1e-4)


@EVERY_DECODER
def test_the_state_keeps_its_structure_and_the_batch_first(name):
    decoder, source = built_decoder(name), memory([5, 3, 1], 5)
    static, state = decoder.begin(source, 4)
    position = ops.convert_to_tensor(0, dtype="int32")
    logits, after = decoder.step(tokens(3, 1)[:, 0], position, static, state)
    assert logits.shape == (3, decoder.vocabulary_size)
    for leaf in tree.flatten((state, after)):
        assert leaf.shape[0] == 3
    tree.assert_same_structure(state, after)
    for old, new in zip(tree.flatten(state), tree.flatten(after), strict=True):
        assert (old.shape, old.dtype) == (new.shape, new.dtype)


@EVERY_DECODER
def test_reordered_beams_go_on_from_their_parents(name):
    """Beams that were reordered at random have the logits of their own history."""
    sources, beams, steps = 2, 3, 5
    decoder, source = built_decoder(name), memory([5, 3], 5)
    static, state = decoder.expand(*decoder.begin(source, steps + 1), beams)
    random = np.random.default_rng(3)
    history = np.zeros((sources * beams, 0), "int32")
    for position in range(steps):
        ids = random.integers(0, VOCABULARY, sources * beams).astype("int32")
        history = np.concatenate([history, ids[:, None]], axis=1)
        here = ops.convert_to_tensor(position, dtype="int32")
        logits, state = decoder.step(ops.convert_to_tensor(ids), here, static, state)
        repeated = Memory(*(ops.repeat(leaf, beams, axis=0) for leaf in source))
        expected = array(decoder(ops.convert_to_tensor(history), repeated))[:, -1]
        np.testing.assert_allclose(array(logits), expected, atol=2e-5)
        parents = random.integers(0, beams, (sources, beams)) + beams * np.arange(sources)[:, None]
        parents = parents.reshape(-1).astype("int32")
        state = decoder.reorder(state, ops.convert_to_tensor(parents))
        history = history[parents]


@EVERY_DECODER
def test_attention_weights_are_distributions_over_real_steps(name):
    decoder, source = built_decoder(name), memory([5, 3, 1], 5)
    _, state = steps_of(decoder, source, tokens(3, 4))
    if "weights" not in state:
        assert name in ("rnn-initial", "rnn-joined-gru", "rnn-fed", "s2vt", "s2vt-gru")
        return
    weights = array(state["weights"])
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    assert np.all(weights[~array(source.mask)] == 0)


@EVERY_ENCODER
def test_encoder_padding_changes_nothing(name):
    encoder = built_encoder(name)
    short, padded = memory([5, 3, 1], 5), memory([5, 3, 1], 9, garbage=7.0)
    a, b = encoder(*short), encoder(*padded)
    assert a.values.shape[-1] == encoder.width
    for row, length in enumerate(array(ops.sum(ops.cast(a.mask, "int32"), axis=1))):
        np.testing.assert_allclose(
            array(a.values)[row, :length], array(b.values)[row, :length], atol=2e-5
        )


@EVERY_ENCODER
def test_encoder_rows_do_not_touch(name):
    encoder = built_encoder(name)
    together, alone = memory([5, 3, 1], 5), memory([5], 5)
    np.testing.assert_allclose(
        array(encoder(*together).values)[:1], array(encoder(*alone).values), atol=2e-5
    )


def test_lengths_to_mask():
    mask = np.arange(3) < np.array([[2], [0], [3]])
    assert mask.tolist() == [[True, True, False], [False, False, False], [True, True, True]]
