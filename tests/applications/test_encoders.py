"""The encoder of another model: build, settings and build again give the same layers."""

from dataclasses import replace
from typing import get_args

import pytest

from kerasseq.applications import captioning, speech_recognition
from kerasseq.applications.captioning import settings as of_pictures
from kerasseq.applications.captioning.config import CaptioningConfig
from kerasseq.applications.captioning.config import read_encoder as read_of_pictures
from kerasseq.applications.captioning.model import build as build_captioner
from kerasseq.applications.common import encoders
from kerasseq.applications.speech_recognition import settings as of_sound
from kerasseq.applications.speech_recognition.config import SpeechConfig
from kerasseq.applications.speech_recognition.config import read_encoder as read_of_sound
from kerasseq.applications.speech_recognition.model import build as build_recogniser
from kerasseq.errors import UserError
from kerasseq.preprocessing import CaptionPreprocessor, SpeechPreprocessor

SMALL = {"units": 6, "width": 8, "filters": 3, "layers": 2, "heads": 2, "kernel_size": 3}
OF_SOUND = [
    *({}, {"pyramid": True, "stack": 8, "layers": 3}, {"stack": 1}, {"lookahead": 3}),
    *({"chunk": 6, "ahead": 3}, {"chunk": 6, "pyramid": True}, {"dropout": 0.0, "layers": 1}),
    {"pyramid": True, "layers": 1, "chunk": 4},
]
OF_PICTURES = [{}, {"filters": (3, 4), "strides": (4, 2)}, {"patch": 8, "dropout": 0.0}]


def variants(kind, options):
    """Settings of a kind with each of the options that it has, all small."""
    names = kind.__dataclass_fields__
    small = {k: v for k, v in SMALL.items() if k in names and kind is not of_pictures.Convolution}
    for some in options:
        if set(some) <= set(names):
            yield kind(**small | some)


@pytest.fixture(scope="module")
def preprocessors():
    texts = ["one two", "three four", "five six"] * 4
    spoken = SpeechPreprocessor.learn(texts, "char", 40)
    return spoken, CaptionPreprocessor.learn(texts, "word", 40, size=(32, 32))


def cases(union, options):
    every = [settings for kind in get_args(union) for settings in variants(kind, options)]
    assert {settings.kind for settings in every} == {kind.kind for kind in get_args(union)}
    return every


def describe(model):
    return encoders._describe(model.encoder.layers, set())


@pytest.mark.parametrize("encoder", cases(of_sound.Encoder, OF_SOUND), ids=str)
def test_the_settings_of_every_encoder_of_sound(encoder, preprocessors):
    sound = replace(SpeechConfig().sound, mels=16, scale="htk", normalization="mean", dither=1.0)
    model = build_recogniser(of_sound.CTC(encoder=encoder), sound, preprocessors[0])
    own = read_of_sound(SpeechConfig(), model)
    again = adopted(SpeechConfig(), own)
    assert describe(build_recogniser(again.model, again.sound, preprocessors[0])) == describe(model)


@pytest.mark.parametrize("encoder", cases(of_pictures.Encoder, OF_PICTURES), ids=str)
@pytest.mark.parametrize(
    "kind", [of_pictures.ShowAttendTell, of_pictures.S2VT, of_pictures.Transformer]
)
def test_the_settings_of_every_encoder_of_pictures(encoder, kind, preprocessors):
    if encoder.kind == "backbone":
        encoder = replace(encoder, weights="none", width=8)
    options = {"heads": 2, "units": 8} if kind is of_pictures.Transformer else {}
    model = build_captioner(kind(encoder=encoder, **options), preprocessors[1])
    own = read_of_pictures(CaptioningConfig(model=kind()), model)
    assert own["pictures.size"] == 32
    again = adopted(CaptioningConfig(model=kind()), own).model
    if encoder.kind == "backbone":
        again = replace(again, encoder=replace(again.encoder, weights="none"))
    assert describe(build_captioner(again, preprocessors[1])) == describe(model)


def adopted(config, own):
    """The configuration with settings that a model's encoder has, if the user gives none."""
    return encoders.adopt_encoder(config, {}, {}, "sound", lambda *_: own)


@pytest.fixture(autouse=True)
def nothing_is_loaded(monkeypatch, request):
    if "settings_of_every" in request.node.name:
        monkeypatch.setattr(encoders, "load_start", lambda *_: None)


def test_what_the_user_does_not_set_is_copied():
    begin = ["training.encoder_from=an4-ctc"]
    whole = speech_recognition.configure({"dataset": "an4"}, None, "ctc", begin)
    encoder = whole.model.encoder
    assert (encoder.kind, encoder.units, encoder.pyramid) == ("conv-blstm", 128, True)
    assert (whole.model.kind, whole.sound.normalization) == ("ctc", "mean")
    more = [*begin, "sound.normalization=running", "model.encoder.dropout=0.1"]
    more += ["model.encoder.chunk=6", "model.encoder.units=128"]
    whole = speech_recognition.configure({"dataset": "an4"}, None, "transducer", more)
    assert (whole.model.kind, whole.model.encoder.pyramid) == ("transducer", True)
    assert (whole.model.encoder.dropout, whole.model.encoder.chunk) == (0.1, 6)
    assert whole.sound.normalization == "running"


def test_another_kind_of_encoder_is_copied_whole():
    begin = ["training.encoder_from=emoji-scenes"]
    whole = captioning.configure({"train": ["a.tsv"]}, None, "show-attend-tell", begin)
    assert (whole.model.kind, whole.model.encoder.kind) == ("transformer", "convolution")
    assert (whole.model.heads, whole.model.units, whole.model.encoder_layers) == (4, 384, 1)
    assert (whole.pictures.size, whole.model.encoder.width) == (96, 192)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            ["model.encoder.units=9", "sound.mels=40"],
            "--set sound.mels=40: training.encoder_from copies the encoder of an4-ctc, which has "
            "--set sound.mels=80 --set model.encoder.units=128; leave out sound.mels, "
            "model.encoder.units",
        ),
        (
            ["model.encoder.kind=conformer", "model.encoder.heads=2"],
            "--set model.encoder.kind=conformer: training.encoder_from copies the encoder of "
            "an4-ctc, which has --set model.encoder.kind=conv-blstm; leave out model.encoder.kind, "
            "model.encoder.heads",
        ),
    ],
)
def test_what_contradicts_it_is_refused_with_its_settings(given, words):
    with pytest.raises(UserError) as caught:
        speech_recognition.configure(
            {"dataset": "an4"}, None, "ctc", ["training.encoder_from=an4-ctc", *given]
        )
    assert str(caught.value) == words


def test_a_model_of_other_layers_names_the_settings(preprocessors):
    whole = SpeechConfig(training=replace(SpeechConfig().training, encoder_from="mine"))
    kinds = [of_sound.LSTM(units=6, layers=1), of_sound.LSTM(units=8, layers=1)]
    one, other = (
        build_recogniser(of_sound.CTC(encoder=kind), whole.sound, preprocessors[0])
        for kind in kinds
    )
    own = read_of_sound(whole, other)
    config = replace(whole, model=of_sound.CTC(encoder=kinds[0]))
    with pytest.raises(UserError) as caught:
        encoders.copy_encoder(one, other, config, own)
    assert str(caught.value) == (
        "training.encoder_from: the encoder of mine is not built as this model's is: give --set "
        "model.encoder.units=8."
    )
    with pytest.raises(UserError, match="no settings build it, so it cannot be copied"):
        encoders.copy_encoder(one, other, config, {})
    encoders.copy_encoder(other, other, config, own)
