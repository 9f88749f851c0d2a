"""The rules by which `--config auto` chooses settings from what the training data are.

A rule is a function from the facts of the training part, and the settings that are known so far, to
a `Choice`. Its docstring gives the reason, and the measurement behind it where there is one:
`benchmarks/small.py` repeats it. The figures are of parts that are held out for choosing settings,
never of test parts.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kerasseq.data.facts import Survey
from kerasseq.data.text.facts import TextFacts
from kerasseq.presets import list_presets


class Choice(NamedTuple):
    """Settings, and what a run says about them.

    Attributes:
        settings: values by dotted keys.
        text: what is chosen and why, in one line.
    """

    settings: Mapping[str, Any]
    text: str


Known = Mapping[str, Any]
Rule = Callable[[Survey, Known], Choice]

ENGLISH = "english-base"
"""The preset that has heard more English than most users have."""

# Settings that decide what an encoder is, and those that do not although they begin alike.
_OF_ENCODER = ("model.", "sound.", "training.start_from", "training.encoder_from")
_OF_RUN = ("sound.speeds", "sound.gain", "tokenizer.language_model")


def choose_sound_start(facts: Survey, known: Known) -> Choice:
    """A recogniser that has heard hours of speech, where the user has less; or its encoder.

    AN4, 100 recordings of ten speakers, 10 minutes, ten others: WER 17.9 from it with the 4-gram;
    greedy, 69.5 from nothing, and 46.9 from it after its first hour of training. FSDD, 50
    recordings, 3 minutes, 600 others: 10.8 and 9.3 from it with the 4-gram (two seeds). Where 150
    others chose the weights, of these: 12 without its margin, 16 from its encoder with words.
    """
    hours = facts.sound.seconds / 3600
    own = [key for key in known if key.startswith(_OF_ENCODER) and key not in _OF_RUN]
    if hours > 5 or own or ENGLISH not in list_presets():
        return Choice({}, "")
    amount = describe_time(facts.sound.seconds)
    letters = set("abcdefghijklmnopqrstuvwxyz' ")
    units = [key for key in known if key.startswith("tokenizer.") and key not in _OF_RUN]
    if not units and set("".join(facts.target.character_counts).lower()) <= letters:
        text = f"Start    {ENGLISH}, which has heard hours of speech; these are {amount}"
        return Choice({"training.start_from": ENGLISH}, text)
    text = f"Start    the encoder of {ENGLISH}; the units are those of these transcripts"
    return Choice({"training.encoder_from": ENGLISH}, text)


def choose_sound_units(facts: Survey, known: Known) -> Choice:
    """Words where a few words come often, else characters.

    With CTC a whole word is one unit, which a few recordings teach. A model of words writes no
    other word.
    """
    if known.get("training.start_from"):
        return Choice({}, "")
    target = facts.target
    if is_closed(target):
        count = f"{target.distinct_words:,} words, each of which comes often"
        return Choice({"tokenizer.kind": "word"}, f"Units    {count}; it writes no other word")
    return Choice(
        {"tokenizer.kind": "char"},
        f"Units    {target.distinct_characters:,} characters, since most of the "
        f"{target.distinct_words:,} words are rare",
    )


def choose_sound_front(facts: Survey, known: Known) -> Choice:
    """The rate of the recordings, and 40 bands, which take half the time of 80.

    More than 16,000 samples a second bring nothing.
    """
    if known.get("training.start_from") or known.get("training.encoder_from"):
        return Choice({}, "")
    rate = min(16000, max(facts.sound.rates or [16000]))
    settings = {"sound.rate": rate, "sound.mels": 40, "sound.normalization": "mean"}
    return Choice(settings, f"Sound    {rate:,} samples a second, 40 bands")


def choose_sound_model(facts: Survey, known: Known) -> Choice:
    """CTC on a recurrent encoder, the smaller the fewer minutes there are.

    CTC aligns on minutes of speech, where attention does not.
    """
    if known.get("training.start_from"):
        return Choice({}, "")
    if known.get("training.encoder_from"):
        return Choice({"model.kind": "ctc"}, "Model    CTC on that encoder")
    minutes = facts.sound.seconds / 60
    units = 96 if minutes < 10 else 128 if minutes < 60 else 160
    settings = {
        "model.kind": "ctc",
        "model.encoder.kind": "conv-blstm",
        "model.encoder.filters": 16,
        "model.encoder.width": units,
        "model.encoder.units": units,
        "model.encoder.layers": 1 if minutes < 2 else 2 if minutes < 60 else 3,
        "model.encoder.dropout": 0.1 if minutes < 60 else 0.2,
    }
    amount = describe_time(facts.sound.seconds)
    return Choice(settings, f"Model    CTC on layers of {units} units, for {amount} of sound")


def choose_sound_changes(facts: Survey, known: Known) -> Choice:
    """Other speeds, other voices, other levels; few masks, and narrow ones.

    Wide masks take whole words away from short recordings.
    """
    settings: dict[str, Any] = {
        "sound.speeds": [0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15],
        "sound.gain": 6.0,
    }
    text = "Changes  speeds of 0.85 to 1.15, levels up to 6 decibels off"
    if known.get("training.start_from"):
        return Choice(settings, text)
    settings |= {
        "sound.warp": 0.1,
        "sound.frequency_masks": 1,
        "sound.frequency_width": 6,
        "sound.time_masks": 1,
        "sound.time_width": 8 if facts.sound.mean_seconds < 2 else 20,
    }
    return Choice(settings, f"{text}, frequencies up to 10% off, narrow masks")


def choose_sound_decoding(facts: Survey, known: Known) -> Choice:
    """A search with an n-gram model of the transcripts, which knows how their words are spelled.

    AN4, 100 recordings of ten speakers, from english-base, ten others: WER 46.9 greedy, 45.0 with
    10 beams, and with a 4-gram of weight 0.3, 0.5, 0.8, 1.2: 36.7, 34.8, 34.1, 33.3.
    """
    if known.get("model.kind", "ctc") != "ctc" or known.get("tokenizer.kind") == "word":
        return Choice({}, "")
    settings = {
        "tokenizer.language_model": 4,
        "decoding.beam": 10,
        "decoding.lm_weight": 0.8,
        "decoding.length_bonus": 1.0,
    }
    return Choice(settings, "Search   10 beams, with a 4-gram model of the transcripts")


def choose_sound_training(facts: Survey, known: Known) -> Choice:
    """Batches so small that an epoch has several updates, and enough updates to align.

    CTC writes nothing but blanks for the first hundred updates or more. With batches of 100 s of
    sound, 50 recordings make one update an epoch.
    """
    start = known.get("training.start_from") or known.get("training.encoder_from")
    seconds = facts.sound.seconds
    longest = facts.sound.longest_seconds
    batch = min(max(seconds / 12, 2 * longest, 4.0), 30.0)
    steps = max(1, math.ceil(1.15 * seconds / batch))
    updates = (
        400 + 600 * math.sqrt(seconds / 600) if start else 900 + 900 * math.sqrt(seconds / 600)
    )
    settings = {
        "training.batch_seconds": round(batch, 1),
        "training.learning_rate": 1e-3 if start else 2e-3,
        "training.best_by": "wer",
        **plan_updates(known, steps, round(updates), 2),
    }
    return Choice(settings, describe_training(settings, known, f"{batch:.3g} s of sound"))


def choose_text_units(facts: Survey, known: Known) -> Choice:
    """Characters where texts are single words, else pieces: one for some 25 words of the text.

    A piece must come often enough to be learned.
    """
    source, target = facts.source, facts.target
    if source.mean_words < 2 or (source.mean_words + target.mean_words) / 2 < 2:
        return Choice({"tokenizer.kind": "char"}, "Units    characters, since texts are words")
    words = source.words + target.words
    size = round_size(min(max(words / 25, 200), 8000))
    settings = {"tokenizer.kind": "unigram", "tokenizer.vocabulary_size": size}
    return Choice(settings, f"Units    {size:,} pieces for {words:,} words of text")


def choose_text_model(facts: Survey, known: Known) -> Choice:
    """Recurrent layers with attention for characters, else a Transformer, small for few pairs.

    CMUdict, 2,000 words, 5 minutes on half a core: phoneme error rate 28.3 with recurrent layers
    (750 updates), 42.4 with a Transformer (330 updates); on a core 24.8 with recurrent layers.
    Multi30k, 2,000 pairs, 6 minutes on half a core: BLEU 2.1 with recurrent layers (450 updates),
    4.4 with a Transformer (360 updates); in 10 minutes on a core 19.4 with a Transformer.
    """
    pairs = facts.examples
    if known.get("tokenizer.kind") == "char":
        settings = {
            "model.kind": "rnn-attention",
            "model.embedding": 64,
            "model.units": 192 if pairs < 20_000 else 256,
            "model.dropout": 0.3,
        }
        units = settings["model.units"]
        return Choice(settings, f"Model    recurrent layers of {units} units with attention")
    layers = 2 if pairs < 5_000 else 3 if pairs < 50_000 else 4
    settings = {
        "model.kind": "transformer",
        "model.encoder_layers": layers,
        "model.decoder_layers": layers,
        "model.dropout": 0.3 if pairs < 50_000 else 0.2,
    }
    return Choice(
        settings, f"Model    a Transformer of {layers} + {layers} layers for {pairs:,} pairs"
    )


def choose_text_training(facts: Survey, known: Known) -> Choice:
    """A warm-up of a tenth of the updates, so that the rate gets to its peak."""
    count, pieces = "words", 1.4
    if known.get("tokenizer.kind") == "char":
        count, pieces = "characters", 1.0
    sides = facts.source, facts.target
    tokens = max(pieces * getattr(side, count) + side.texts for side in sides)
    batch = int(min(max(tokens / 20, 256), 2048))
    steps = max(1, math.ceil(1.15 * tokens / batch))
    settings = {
        "training.batch_tokens": batch,
        "training.learning_rate": 2e-3,
        "training.label_smoothing": 0.1,
        "training.beta_2": 0.98,
        **plan_updates(known, steps, 4000, 30 if facts.examples < 50_000 else 10),
    }
    return Choice(settings, describe_training(settings, known, f"{batch:,} units"))


def choose_picture_units(facts: Survey, known: Known) -> Choice:
    """The words that come three times or more: a model cannot learn to write the others."""
    counts = facts.target.word_counts.values()
    size = min(max(sum(count >= 3 for count in counts) + 8, 50), 8000)
    settings = {"tokenizer.kind": "word", "tokenizer.vocabulary_size": size}
    rare = facts.target.distinct_words - size
    text = f"Units    {size:,} words" + f"; {rare:,} rarer ones are not written" * (rare > 0)
    return Choice(settings, text)


def choose_picture_model(facts: Survey, known: Known) -> Choice:
    """A frozen backbone under a decoder that attends, smaller the fewer pictures there are.

    Flickr8k, 500 pictures, 10 minutes on two thirds of a core: CIDEr-D 33.6.
    """
    pictures = facts.pictures.pictures
    units = 256 if pictures < 3_000 else 384
    settings = {
        "model.kind": "show-attend-tell",
        "model.units": units,
        "model.embedding": units // 2,
        "model.dropout": 0.5 if pictures < 3_000 else 0.4,
    }
    return Choice(
        settings, f"Model    {units} units over a frozen backbone for {pictures:,} pictures"
    )


def choose_picture_training(facts: Survey, known: Known) -> Choice:
    """Batches so small that an epoch has several updates; some 1,500 updates."""
    pictures = facts.pictures.pictures
    batch = 64 if pictures > 3_000 else 32 if pictures > 200 else 8
    steps = max(1, math.ceil(facts.examples / batch))  # an epoch has one caption of each
    settings = {
        "training.batch_pictures": batch,
        "training.learning_rate": 1e-3,
        "training.label_smoothing": 0.1,
        "training.best_by": "cider",
        **plan_updates(known, steps, 1500, 4),
    }
    return Choice(settings, describe_training(settings, known, f"{batch} pictures"))


RULES: Mapping[str, tuple[Rule, ...]] = {
    "sound": (
        choose_sound_start,
        choose_sound_units,
        choose_sound_front,
        choose_sound_model,
        choose_sound_changes,
        choose_sound_training,
        choose_sound_decoding,
    ),
    "text": (choose_text_units, choose_text_model, choose_text_training),
    "picture": (choose_picture_units, choose_picture_model, choose_picture_training),
}


def is_closed(facts: TextFacts) -> bool:
    """Returns whether texts are made of few words that all come often."""
    frequent = sum(count >= 3 for count in facts.word_counts.values())
    return facts.distinct_words <= 50 and frequent >= 0.9 * facts.distinct_words


def plan_updates(known: Known, steps: int, updates: int, fewest: int) -> dict[str, Any]:
    """Returns settings for `updates` in epochs of `steps`, and at least `fewest` epochs.

    A cosine ends the training; the warm-up is a tenth of it, however long a time limit lets it be.
    """
    epochs = known.get("training.epochs") or max(fewest, math.ceil(updates / steps))
    total = epochs * steps
    if limit := known.get("training.max_steps"):
        total = min(total, limit)
    return {
        "training.epochs": epochs,
        "training.schedule": "cosine",
        "training.warm_up": 0.1,
        "training.clip_norm": 5.0,
        "training.ema": min(0.999, max(0.9, round(1 - 50 / total, 3))),
        "training.validate_every": 0 if steps * 40 >= total else max(steps, total // 40),
    }


def describe_training(settings: Mapping[str, Any], known: Known, batch: str) -> str:
    """Returns the line on a training, with the settings that are given."""
    keys = ("training.epochs", "training.learning_rate", "training.warm_up")
    epochs, rate, warm_up = (known.get(key, settings[key]) for key in keys)
    length = f"{epochs:,} epochs"
    peak = f"{warm_up:.0%} of it" if warm_up < 1 else f"{warm_up:,.0f} updates"
    if steps := known.get("training.max_steps"):
        length = f"{steps:,} steps"
    if minutes := known.get("training.max_minutes"):
        length += f" or {minutes:g} minutes"
    return f"Training {length} in batches of {batch}, rate {rate:g} after {peak}"


def describe_time(seconds: float) -> str:
    """Returns a length of sound in words."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def round_size(size: float) -> int:
    """Rounds to two digits."""
    unit = 10 ** max(0, math.floor(math.log10(size)) - 1)
    return int(round(size / unit) * unit)
