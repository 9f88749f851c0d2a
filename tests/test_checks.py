"""A layer that cannot work is refused where it is made, in one sentence that names the argument."""

import inspect
import math
import typing
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import attention, checks
from kerasseq.acoustics import LogMel
from kerasseq.attention import MultiHeadAttention, StepAttention
from kerasseq.attention.rotary import RotaryAttention
from kerasseq.checks import (
    Activation,
    Amount,
    Count,
    Fraction,
    OddSize,
    Positive,
    Share,
    Size,
    VocabularySize,
)
from kerasseq.decoders import ConvolutionalDecoder, RNNDecoder, S2VTDecoder, TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import (
    Chain,
    ConvolutionalFeatures,
    FrameStacking,
    Patches,
    PictureEncoder,
    Projection,
    RNNEncoder,
    TransformerEncoder,
)
from kerasseq.errors import UserError
from kerasseq.language_model import NGram
from kerasseq.masking import Memory
from kerasseq.models import CTC, HybridSeq2Seq, Seq2Seq, Transducer
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.preprocessing import SpeechPreprocessor, TextPreprocessor
from kerasseq.transduction.joiner import Joiner
from tests.every_layer import ARGUMENTS, VOCABULARY, embedding, hearing, made

pytestmark = pytest.mark.backends

NAN, INF, HUGE = math.nan, math.inf, 10**400

# What is refused of each kind of argument.
NO_SIZE = (0, -1, 1.5, 2.0, True, "2", NAN, INF, [2])
NO_FRACTION = (-0.1, 1, 1.5, NAN, INF, "0.1", True, None)
WRONG: dict[Any, tuple] = {
    Size: (*NO_SIZE, None),
    Size | None: NO_SIZE,
    Count: (-1, 0.5, False, "0", NAN, None),
    OddSize: (0, 2, -1, 1.0, True, None),
    VocabularySize: (-1, 0, 2, 4, 9.0, True, "9", None),
    Fraction: NO_FRACTION,
    Share: (-0.1, 1.1, NAN, "0.1", True, None),
    Positive: (0, -1, NAN, INF, HUGE, "1", True, None),
    Positive | None: (0, -1, NAN, INF, "1", True),
    Amount: (-1, NAN, INF, HUGE, "1", True, None),
    float: (NAN, INF, HUGE, "1", True, None),
    bool: (None, 2, 0.5, "yes"),
    Activation: ("foo", "", None, 3, ops.relu),
    tuple[Size, Size]: (None, 8, (8,), (8, 8, 8), (8, 0), (8, 8.0), "88"),
    tuple[Size, ...]: (None, 8, (), (8, 0), (True,), "8"),
}
OBJECTS = (None, "x", 3, object())


def arguments():
    """Every argument of every class that checks its own."""
    for kind in ARGUMENTS:
        if not hasattr(kind.__init__, "__wrapped__"):
            continue
        hints = typing.get_type_hints(kind.__init__, include_extras=True)
        for name, parameter in inspect.signature(kind.__init__).parameters.items():
            if name != "self" and parameter.kind is not parameter.VAR_KEYWORD:
                yield kind, name, hints[name]


def wrong(hint: Any) -> tuple:
    """Values that an argument with this annotation refuses."""
    if hint is Any:
        return ()
    if hint in WRONG:
        return WRONG[hint]
    parts = typing.get_args(hint)
    inner = [part for part in parts if part is not type(None)]
    if len(inner) < len(parts) and typing.get_origin(inner[0]) is typing.Annotated:
        return tuple(value for value in wrong(inner[0]) if value is not None)
    if typing.get_origin(hint) is typing.Annotated:  # a number within bounds
        return (None, "x", -1, NAN, True)
    if typing.get_origin(hint) is typing.Literal:
        return ("foo", 7, True, None)
    if type(None) in parts:
        return tuple(value for value in OBJECTS if value is not None and str not in parts) or (3,)
    return (3, None) if str in parts or hint is str else OBJECTS


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    list(arguments()),
    ids=lambda part: getattr(part, "__name__", str(part)),
)
def test_every_argument_is_refused_where_it_is_wrong(kind, name, hint):
    for value in wrong(hint):
        with pytest.raises(UserError) as refused:
            made(kind, **{name: value})
        message = str(refused.value)
        assert message.startswith(f"{kind.__name__}: {name} must be "), message
        assert message.endswith(".") and "\n" not in message and len(message) < 260


def test_nothing_is_left_unchecked():
    """Only what Keras reads itself may be of any kind, and numbers say their range."""
    loose = {(kind, name) for kind, name, hint in arguments() if hint is Any}
    assert {name for _, name in loose} <= {"initializer"}
    assert not [(kind, name) for kind, name, hint in arguments() if hint is int]
    layers = [kind for kind in ARGUMENTS if issubclass(kind, keras.layers.Layer)]
    own = [kind for kind in layers if kind.__init__.__module__.startswith("kerasseq")]
    unchecked = {kind.__name__ for kind in own if not hasattr(kind.__init__, "__wrapped__")}
    assert unchecked == {"Hard"}  # which has no arguments


@pytest.mark.parametrize("number", [np.int64(4), np.int32(4), np.uint8(4)])
def test_numbers_of_numpy_are_numbers(number, tmp_path):
    layer = RNNEncoder(number, dropout=np.float32(0.25), bidirectional=np.bool_(True))
    again = RNNEncoder.from_config(layer.get_config())
    assert (again.units, again.dropout.rate, again.bidirectional) == (4, 0.25, True)


def test_what_python_says_itself_stays():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'units'"):
        RNNEncoder()
    with pytest.raises(TypeError, match="multiple values for argument 'units'"):
        RNNEncoder(4, units=4)


def test_attention_by_name():
    decoder = RNNDecoder(embedding(), 6, attention="additive", query="before")
    assert isinstance(decoder.attention, StepAttention)
    assert type(decoder.attention.score).__name__ == "Additive"
    again = RNNDecoder.from_config(decoder.get_config())
    assert again.get_config() == decoder.get_config()
    with pytest.raises(UserError, match="There is no score 'mlp'. There are: dot, scaled_dot"):
        RNNDecoder(embedding(), 6, attention="mlp")
    assert type(attention.get("dot/hard").alignment).__name__ == "Hard"
    with pytest.raises(UserError, match="There is no alignment 'soft'. There are: global, hard."):
        attention.get("dot/soft")
    with pytest.raises(UserError, match="There is no score 'mlp'"):
        ConvolutionalDecoder(embedding(), 6, score="mlp")
    with pytest.raises(UserError, match="There is no alignment 'soft'"):
        attention.StepAttention("dot", "soft")


class Deaf(keras.layers.Layer):
    """An encoder without a width."""

    def call(self, values, mask, training=False):
        return Memory(values, mask)


class Bare(Deaf):
    """An encoder that returns no memory."""

    width = 8

    def call(self, values, mask, training=False):
        return values


class Own(Deaf):
    """An encoder that somebody writes: it has a width and nothing else."""

    width = 8


def predicting(**options):
    options = {"embedding": embedding(), "units": 6, "context": "none", **options}
    return RNNDecoder(projection=False, **options)


def text(size=VOCABULARY):
    sides = {side: {"size": size, "digest": "0"} for side in ("source", "target")}
    return TextPreprocessor(vocabularies=sides)


def decoder():
    return RNNDecoder(embedding(), 6)


DO_NOT_FIT = {
    "but 3 do not divide 8": lambda: MultiHeadAttention(3, 8),
    "3 do not divide 8": lambda: TransformerDecoder(embedding("learned"), 1, 3, 6),
    "do not divide 10": lambda: Seq2Seq(
        embedding(width=10), TransformerEncoder(1, 4, 6), decoder()
    ),
    "even width, but 4 heads": lambda: RotaryAttention(4, 12),
    "an even width, not 7": lambda: TokenEmbedding(VOCABULARY, 7, "sinusoidal"),
    "an even width, not 5": lambda: Projection(5, positions=True),
    "Tied embeddings of width 8": lambda: Seq2Seq(
        embedding(), RNNEncoder(4), S2VTDecoder(embedding(), 6, tied=True)
    ),
    "compares vectors of one width": lambda: Seq2Seq(
        embedding(), RNNEncoder(4), RNNDecoder(embedding(), 6, attention="dot")
    ),
    "needs the weights of the step before": lambda: ConvolutionalDecoder(
        embedding(), 4, score="location"
    ),
    "its filters and its stride": lambda: ConvolutionalFeatures((8, 8), (4, 6), (2,)),
    "has no square of 9 x 9": lambda: Patches((8, 12), 9),
    "known size": lambda: PictureEncoder(
        keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    ),
    "a sample or more at 100 Hz": lambda: LogMel(100, 1, hop=0.001),
    "n_fft must hold a window": lambda: LogMel(n_fft=16),
    "set bidirectional": lambda: RNNEncoder(4, chunk=2),
    "set chunk too": lambda: RNNEncoder(4, bidirectional=True, ahead=2),
    "A gate needs attention": lambda: RNNDecoder(embedding(), 6, gate=True),
    "as encoders are": lambda: Chain([embedding()]),
    "encoders are, not <": lambda: CTC(keras.layers.Dense(3), VOCABULARY),
    "reads vectors .N, S, D.": lambda: CTC(TransformerEncoder(1, 2, 6), VOCABULARY),
    "RNNEncoder reads vectors": lambda: CTC(Chain([RNNEncoder(4)]), VOCABULARY),
    "Deaf has no width": lambda: Seq2Seq(embedding(), Deaf(), decoder()),
    "Deaf has no width: as": lambda: CTC(Chain([LogMel(4000, 8), Deaf()]), VOCABULARY),
    "Dropout has no width": lambda: Seq2Seq(keras.layers.Dropout(0.1), Own(), decoder()),
    "positions=None": lambda: Transducer(
        hearing(), predicting(embedding=embedding("learned")), Joiner(VOCABULARY, 4)
    ),
    "decoder must be of the class RNNDecoder": lambda: Transducer(
        hearing(), TransformerDecoder(embedding(), 1, 2, 6), Joiner(VOCABULARY, 4)
    ),
    "knows 9 units, but the joiner 8": lambda: Transducer(
        hearing(), predicting(), Joiner(VOCABULARY - 1, 4)
    ),
    "reads 9 units, but its preprocessor knows 7": lambda: Seq2Seq(
        embedding(), RNNEncoder(4), decoder(), text(7)
    ),
    "writes 9 units, but its preprocessor knows 7": lambda: Seq2Seq(
        None, hearing(), decoder(), text(7)
    ),
    "its language model knows 8": lambda: CTC(hearing(), VOCABULARY, None, NGram(8)),
}


@pytest.mark.parametrize("message", DO_NOT_FIT)
def test_what_does_not_fit_is_refused_where_it_is_put_together(message):
    with pytest.raises(UserError, match=message) as refused:
        DO_NOT_FIT[message]()
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")


def sound(rows=2):
    values = np.random.default_rng(0).integers(-999, 999, (rows, 1600)).astype("int16")
    return {"values": values, "mask": np.ones((rows, 1600), bool)}


def translator(**parts):
    return Seq2Seq(embedding(), RNNEncoder(4), decoder(), **parts)


def words():
    values = np.array([[4, 5, 6, 3]], "int32")
    return {"values": values, "mask": values > 0, "tokens": np.array([[2, 4]], "int32")}


CALLS = {
    "whole numbers, of int32 for example, not float32": lambda: translator()(
        {**words(), "tokens": np.ones((1, 2), "float32")}
    ),
    "not bool": lambda: embedding()(np.ones((1, 2), bool)),
    "a dict of tokens, not of values, mask": lambda: translator()(
        {key: value for key, value in words().items() if key != "tokens"}
    ),
    "a dict of values, mask, not of values": lambda: CTC(hearing(), VOCABULARY)(
        {"values": sound()["values"]}
    ),
    "must return a Memory": lambda: Seq2Seq(embedding(), Bare(), decoder())(words()),
    "attends to a Memory": lambda: decoder()(words()["tokens"], np.ones((1, 3, 8), "float32")),
    "RNNDecoder attends": lambda: decoder().begin(None, 3),
}


@pytest.mark.parametrize("message", CALLS)
def test_what_a_model_cannot_be_called_with(message):
    with pytest.raises(UserError, match=message) as refused:
        CALLS[message]()
    assert "\n" not in str(refused.value)


NO_LISTS = ["one", b"one", {"a": 1}, None, 3, np.zeros(9, "int16")]


@pytest.mark.parametrize("sources", NO_LISTS, ids=lambda source: type(source).__name__)
def test_sources_are_a_list(sources):
    for model in (translator(), CTC(hearing(), VOCABULARY)):
        for ask in (model.generate, model.hypotheses):
            with pytest.raises(UserError, match="Give a list of sources, not "):
                ask(sources)


def test_no_sources_have_no_hypotheses():
    heard = SpeechPreprocessor(
        rate=4000, vocabularies={"target": {"size": VOCABULARY, "digest": "0"}}
    )
    models = [
        translator(preprocessor=text()),
        CTC(hearing(), VOCABULARY, heard),
        Transducer(hearing(), predicting(), Joiner(VOCABULARY, 4), heard),
        HybridSeq2Seq(None, hearing(), decoder(), heard),
    ]
    for model in models:
        for none in ([], (), iter(())):
            assert model.hypotheses(none) == model.generate(none) == []


def test_a_model_without_a_preprocessor_neither_reads_nor_writes():
    nothing = Hypothesis("", 0.0, (4,), (0,), (0.0,))
    for model in (translator(), CTC(hearing(), VOCABULARY)):
        asked = [
            lambda model=model: model.generate(["one"]),
            lambda model=model: model.alignment("one", nothing),
            lambda model=model: model.words("one", nothing),
        ]
        for ask in asked:
            with pytest.raises(UserError, match="without a preprocessor"):
                ask()
    with pytest.raises(UserError, match="without a preprocessor"):
        translator().attention("one", "two")


def test_an_encoder_without_a_factor_takes_no_steps_together():
    model = Seq2Seq(None, Chain([Own()]), decoder())
    assert (model.factor, model.reduction) == (1, 1)
    assert Seq2Seq(None, Own(), decoder()).reduction == 1
    assert CTC(Chain([LogMel(4000, 8), FrameStacking(3)]), VOCABULARY).factor == 120


LABELS = np.array([[4, 5, 0], [6, 0, 0]], "int32")
REAL = (LABELS != 0).astype("float32")


def trainable():
    """Models, and what they are called with for the labels."""
    begun = np.pad(LABELS, ((0, 0), (1, 0)), constant_values=2)
    yield CTC(hearing(), VOCABULARY), {}
    yield Transducer(hearing(), predicting(), Joiner(VOCABULARY, 4)), {"tokens": begun}
    yield HybridSeq2Seq(None, hearing(), decoder()), {"tokens": begun[:, :-1]}
    yield Seq2Seq(None, hearing(), decoder()), {"tokens": begun[:, :-1]}


def test_without_sample_weights_every_real_label_counts():
    for model, tokens in trainable():
        x = {**sound(), **tokens}
        outputs = model(x)

        def loss(weights, x=x, outputs=outputs, model=model):
            value = model.compute_loss(x, LABELS, outputs, weights, training=False)
            return float(ops.stop_gradient(value))

        assert np.isfinite(loss(REAL)) and loss(REAL) > 0
        assert loss(None) == loss(REAL)
        assert loss(np.ones(2, "float32")) == loss(REAL)  # as Keras has them: of rows
        sums = model.evaluation_sums(x, LABELS, outputs, None)
        expected = model.evaluation_sums(x, LABELS, outputs, REAL)
        assert [float(ops.stop_gradient(s)) for s in sums] == [
            float(ops.stop_gradient(s)) for s in expected
        ]


def test_the_alignment_of_nothing_is_empty():
    heard = SpeechPreprocessor.learn(["lo mid hi"] * 5, "word", 20, rate=4000)
    size, recording = heard.target_vocabulary_size, sound(1)["values"][0]
    encoder, nothing = hearing(), Hypothesis("", 0.0, ())
    attentive = RNNDecoder(TokenEmbedding(size, 8), 6, attention="additive")
    models = [CTC(encoder, size, heard), Seq2Seq(None, encoder, attentive, heard)]
    frames = models[0].log_probabilities(sound(1))[0].shape[1]
    for model in (*models, HybridSeq2Seq(None, encoder, attentive, heard)):
        assert model.alignment(recording, nothing).shape == (0, frames)
        assert model.words(recording, nothing) == []


def test_one_line_shows_any_value():
    assert checks.abbreviate("a\nb") == r"'a\nb'"
    assert len(checks.abbreviate(np.zeros(10_000))) < 60 and "\n" not in checks.abbreviate(
        np.zeros((9, 9))
    )
