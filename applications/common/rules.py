"""The rules by which `--config auto` chooses settings from what the training data are.

A rule is a function from the facts of the training part, and the settings that are known so far, to
a `Choice`. Its docstring gives the reason, and the measurement behind it where there is one:
`benchmarks/small.py` repeats it. The figures are of parts that are held out for choosing settings,
never of test parts.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kerasseq.data.facts import Survey
from kerasseq.data.text.facts import TextFacts


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

# ---------------------------------------------------------------------------------------- sound


def choose_sound_units(facts: Survey, known: Known) -> Choice:
    """Words where a few words come often, else characters.

    With CTC a whole word is one unit, which a few recordings can teach; but a model of words writes
    no other word.
    """
    target = facts.target
    if is_closed(target):
        words = f"words, since there are only {target.distinct_words:,} and they come often"
        return Choice({"tokenizer.kind": "word"}, f"Units    {words}; it writes no other word")
    return Choice(
        {"tokenizer.kind": "char"},
        f"Units    {target.distinct_characters:,} characters: there are "
        f"{target.distinct_words:,} words, most of them rare",
    )


def choose_sound_front(facts: Survey, known: Known) -> Choice:
    """The rate of the recordings themselves, and 40 bands.

    More than 16,000 samples a second bring recognition nothing. 40 bands take half the time of 80.
    """
    rates = facts.sound.rates or {16000: 1}
    rate = min(16000, max(rates))
    settings = {"sound.rate": rate, "sound.mels": 40, "sound.normalization": "mean"}
    return Choice(settings, f"Sound    {rate:,} samples a second, as the recordings have, 40 bands")
