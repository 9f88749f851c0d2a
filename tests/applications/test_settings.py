"""Every setting of every head has an effect, or is refused."""

import dataclasses
import json
import re
import types
import typing
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
import soundfile

from kerasseq import config
from kerasseq.applications import captioning, speech_recognition, translation
from kerasseq.applications.captioning.training import Captioning
from kerasseq.applications.speech_recognition.training import SpeechRecognition
from kerasseq.applications.translation.training import Translation
from kerasseq.errors import UserError
from kerasseq.training.optimizer import make_optimizer
from tests import squares, tones

# What a setting decides that is not looked at here, and the test that does.
ELSEWHERE = {
    "training.max_minutes": "training/test_training.py",
    "training.log_every": "training/test_training.py",
    "training.save_every": "training/test_training.py",
    "training.keep": "training/test_training.py",
    "training.patience": "training/test_training.py",
    "training.best_by": "training/test_training.py",
    "training.average_last": "training/test_training.py",
    "training.validate_every": "training/test_training.py",
    "training.tensorboard": "training/test_training.py",
    "training.start_from": "applications/test_starting.py",
    "training.encoder_from": "applications/test_speech.py",
    "training.precision": "applications/test_translation.py",
    "training.self_critical": "applications/test_captioning.py",
    "data.dataset": "applications/test_starting.py",
    "data.train": "applications/test_starting.py",
    "data.valid": "applications/test_starting.py",
    "data.test": "applications/test_starting.py",
    "data.source": "applications/test_starting.py",
    "data.target": "applications/test_starting.py",
    "data.images": "applications/test_starting.py",
    "model.encoder.name": "encoders/test_picture_encoders.py",
    "model.encoder.weights": "applications/test_captioning.py",
    "model.encoder.trainable": "applications/test_captioning.py",
}

SMALL = {
    "transformer": ["width=8", "units=8", "encoder_layers=1", "decoder_layers=1", "heads=2"],
    "rnn": ["embedding=6", "units=8", "layers=1"],
    "rnn-attention": ["embedding=6", "units=8"],
    "convolution": ["embedding=6", "units=8", "layers=1"],
}
ENCODERS = {
    "blstm": ["units=4", "layers=2"],
    "conv-blstm": ["filters=2", "width=6", "units=4", "layers=2"],
    "lstm": ["units=4", "layers=1"],
    "conv-lstm": ["filters=2", "width=6", "units=4", "layers=1"],
    "transformer": ["filters=2", "width=8", "units=4", "layers=1", "heads=2"],
    "conformer": ["filters=2", "width=8", "units=4", "layers=1", "heads=2"],
}
HEARD = {
    "ctc": [],
    "transducer-attention": ["embedding=4", "units=4", "joint=4"],
    "attention": ["embedding=4", "units=4"],
    "hybrid": ["units=4", "decoder=transformer", "heads=2"],
}
SEEN = {
    "show-attend-tell": ["embedding=4", "units=4"],
    "transformer": ["units=4", "layers=1", "heads=2"],
    "s2vt": ["embedding=4", "units=4"],
}


def of_model(names, prefix="model."):
    return [f"{prefix}{name}" for name in names]


def cases():
    """(head, kind of model, overrides, sections of which every field is tried)."""
    for kind, names in SMALL.items():
        more = ["tokenizer.kind=unigram", "tokenizer.vocabulary_size=40"]
        rest = ("data", "tokenizer", "training", "decoding") if kind == "transformer" else ()
        yield "translation", kind, [*of_model(names), *more], ("model", *rest)
    for encoder, names in ENCODERS.items():
        chosen = [f"model.encoder.kind={encoder}", *of_model(names, "model.encoder.")]
        rest = ("data", "sound", "tokenizer", "training", "decoding") if encoder == "blstm" else ()
        yield "speech_recognition", "ctc", [*tones_of(), *chosen], ("model.encoder", *rest)
    for kind, names in HEARD.items():
        chosen = ["model.encoder.kind=conv-blstm", *of_model(ENCODERS["conv-blstm"])]
        chosen = [chosen[0], *of_model(ENCODERS["conv-blstm"], "model.encoder."), *of_model(names)]
        yield "speech_recognition", kind, [*tones_of(), *chosen], ("model.", "decoding")
    for kind, names in SEEN.items():
        encoder = ["kind=convolution", "filters=[4, 4]", "strides=[4, 2]", "width=8"]
        chosen = ["pictures.size=24", *of_model(encoder, "model.encoder."), *of_model(names)]
        rest = ("data", "pictures", "tokenizer", "training") if kind == "show-attend-tell" else ()
        yield "captioning", kind, chosen, ("model", "decoding", *rest)
    encoder = ["kind=vision-transformer", "patch=8", "width=8", "layers=1", "heads=2", "units=4"]
    chosen = ["pictures.size=24", *of_model(encoder, "model.encoder."), *of_model(SEEN["s2vt"])]
    yield "captioning", "s2vt", chosen, ("model.encoder",)


def tones_of():
    more = ["tokenizer.language_model=2", "decoding.beam=2", "sound.frequency_width=3"]
    # Several batches, whatever the part that is cut off, which depends on the paths.
    return [*tones.SETTINGS[:3], *more, "training.batch_seconds=4"]


HEADS = {
    "translation": (translation, Translation),
    "speech_recognition": (speech_recognition, SpeechRecognition),
    "captioning": (captioning, Captioning),
}


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    rng = np.random.default_rng(1)
    pairs = [[" ".join(rng.choice(list("ABcdefgh"), 5)) for _ in range(2)] for _ in range(39)]
    pairs.append(["long " * 100, "l"])
    (folder / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs))
    lines = []
    for index, (sound, text) in enumerate(zip(*tones.recordings(12, 1), strict=True)):
        soundfile.write(folder / f"{index}.wav", sound, tones.RATE)
        lines.append(f"{index}.wav\t{text.upper()}\n")
    soundfile.write(folder / "long.wav", np.tile(sound, 20), tones.RATE)
    (folder / "sounds.tsv").write_text("".join([*lines, "long.wav\tlo\n"]))
    squares.write(folder, 12).rename(folder / "pictures.tsv")
    names = {"translation": "pairs", "speech_recognition": "sounds", "captioning": "pictures"}
    return {head: str(folder / f"{name}.tsv") for head, name in names.items()}


class Decided:
    """What a configuration decides: by the name of a part a text that tells it from others."""

    def __init__(self, head, folder):
        package, self.make = HEADS[head]
        self.read_parts, self.folder, self.count = package.read_parts, folder, 0
        self.learned = {}

    def __call__(self, whole, key):
        section = key.partition(".")[0]
        if section == "decoding":
            return repr(whole.decoding)
        head = self.make(whole, self.read_parts(whole.data))
        keras.utils.set_random_seed(whole.training.seed)
        parts = ("data", "tokenizer", "sound", "pictures")
        of = repr((whole.model.kind, [getattr(whole, part, None) for part in parts]))
        preprocessor = self.learned.get(of) or self.learned.setdefault(
            of, head.learn_preprocessor()
        )
        written = preprocessor.tokenizer("target").digest
        found = {"preprocessor": (preprocessor.get_config() | {"name": ""}, written)}
        model = head.build(preprocessor)
        found["model"] = plain(model.get_config()), checksum(model.get_weights())
        if section in ("training", "tokenizer", "data", "sound", "pictures"):
            self.count += 1
            data = head.prepare(model, self.folder / str(self.count), False)
            batches = [data.epochs.epoch(0)[i] for i in range(len(data.epochs.epoch(0)))]
            found["batches"] = checksum(keras.tree.flatten((batches, list(data.valid))))
            found["language model"] = model.language_model and model.language_model.order
            training = whole.training
            optimizer = make_optimizer(training, min(training.epochs, training.max_steps or 99))
            found["optimizer"] = plain(optimizer.get_config())
            names = ("label_smoothing", "r_drop", "doubly_stochastic")
            losses = {name: getattr(training, name) for name in names}
            model.compile(**losses)
            found["loss"] = losses
        return json.dumps(found, default=str, sort_keys=True)


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != "name"}
    if isinstance(value, list | tuple):
        return list(map(plain, value))
    return plain(value.get_config()) if hasattr(value, "get_config") else value


def checksum(arrays):
    return zlib.crc32(b"".join(np.asarray(some).tobytes() for some in arrays))


def fields(value, path=""):
    """(dotted key, annotation, value) of each leaf of a configuration."""
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        item, key = getattr(value, field.name), f"{path}{field.name}"
        if dataclasses.is_dataclass(item):
            yield from fields(item, f"{key}.")
        else:
            yield key, hints[field.name], item


def others(annotation, value, key):
    """Other values of a field, as overrides write them."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return []
    if typing.get_origin(annotation) is typing.Literal:
        return [] if key.endswith(".kind") else [v for v in annotation.__args__ if v != value]
    if annotation is bool:
        return [str(not value).lower()]
    if annotation is int:
        some = [6, 9, 14, 25] if key.endswith("vocabulary_size") else [2 * value, value // 10]
        return [value + 1, *(other for other in some if other != value)]
    if annotation is float:
        return [value / 2 + 0.11, value + 1, *([value / 2] if value else [])]
    return {
        "data.valid_size": [5],
        "sound.speeds": ["[0.9, 1.0]"],
        "tokenizer.normalization": ['["invisible", "nfkc", "spaces"]', '["nfkc", "lower"]'],
        "model.encoder.filters": ["[4, 5]"],
        "model.encoder.strides": ["[4, 4]"],
    }[key]


CASES = list(cases())


@pytest.mark.parametrize(
    ("head", "kind", "overrides", "sections"),
    CASES,
    ids=[f"{head}-{kind}-{index}" for index, (head, kind, *_) in enumerate(CASES)],
)
def test_each_setting_has_an_effect_or_is_refused(head, kind, overrides, sections, lists, tmp_path):
    configure, decided = HEADS[head][0].configure, Decided(head, tmp_path)
    data = {"train": [lists[head]]}
    usual = configure(data, kind, None, overrides)
    before, idle = {}, []
    for key, annotation, value in fields(usual):
        if key in ELSEWHERE or not f"{key}.".startswith(sections):
            continue
        if key.startswith("model.encoder.") and sections[0] == "model.":
            continue
        section, in_vain = key.partition(".")[0], []
        for other in others(annotation, value, key):
            try:
                after = decided(configure(data, kind, None, [*overrides, f"{key}={other}"]), key)
            except UserError:
                continue
            if section not in before:
                before[section] = decided(usual, key)
            if after != before[section]:
                break
            in_vain.append(f"{key}={other}")
        else:
            idle += in_vain
    assert not idle, "no effect: " + ", ".join(idle)


@pytest.mark.parametrize(
    ("head", "kind", "overrides"),
    [case[:3] for case in CASES],
    ids=[f"{head}-{kind}-{index}" for index, (head, kind, *_) in enumerate(CASES)],
)
def test_a_number_out_of_its_range_is_refused_where_it_is_given(head, kind, overrides):
    configure, data = HEADS[head][0].configure, {"train": ["a.tsv"]}
    for key, annotation, _ in fields(configure(data, kind, None, overrides)):
        for value in {int: [-1], float: ["nan", "inf", 10**400]}.get(annotation, []):
            with pytest.raises(UserError) as caught:
                configure(data, kind, None, [*overrides, f"{key}={value}"])
            assert str(caught.value).startswith(f"--set {key}={value}: {key} must be ")


@pytest.mark.parametrize(
    ("weights", "holds"),
    [((0.0, 0.0), True), ((0.0, 0.3), False), ((1.0, 1.0), True), ((1.0, 0.3), False)],
)
def test_what_learns_nothing_decodes_nothing(weights, holds):
    given = [
        f"{name}.ctc_weight={w}" for name, w in zip(("model", "decoding"), weights, strict=True)
    ]
    if holds:
        whole = speech_recognition.configure({"train": ["a.tsv"]}, "hybrid", None, given)
        assert (whole.model.ctc_weight, whole.decoding.ctc_weight) == weights
    else:
        with pytest.raises(UserError, match="decoding.ctc_weight must be"):
            speech_recognition.configure({"train": ["a.tsv"]}, "hybrid", None, given)


def test_lists_are_checked_item_by_item():
    for head, override, words in (
        (speech_recognition, "sound.speeds=[]", "sound.speeds must be a list of one or more"),
        (speech_recognition, "sound.speeds=[1, 3]", "each a number from 0.5 to 2, not (1.0, 3.0)"),
        (translation, 'tokenizer.normalization=["nfd"]', "must be a list of invisible, nfkc"),
        (translation, 'data.valid=["a", ""]', "file names, of which none is empty"),
    ):
        with pytest.raises(UserError) as caught:
            head.configure({"train": ["a.tsv"]}, None, None, [override])
        assert words in str(caught.value)
    with pytest.raises(UserError, match="--train must be a list of file names"):
        translation.configure({"train": "a.tsv"})


def test_what_is_not_looked_at_here_is_looked_at_elsewhere():
    for key, file in ELSEWHERE.items():
        name = key.rpartition(".")[2]
        assert re.search(rf"\b{name}\b", (Path(__file__).parents[1] / file).read_text()), key


def test_what_has_no_effect_is_written_to_no_file():
    whole = translation.configure({"train": ["a.tsv"]}, "rnn-attention", None, [])
    text = config.to_toml(whole)
    assert "[model.attention]" in text and "heads" not in text
    assert config.find_unused(whole)["model.attention.heads"] == "the score is not multi_head"
