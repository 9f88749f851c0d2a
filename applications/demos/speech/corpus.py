"""The demonstration of speech recognition: phrases that eSpeak NG speaks in many voices."""

from collections.abc import Sequence
from random import Random

from kerasseq.applications.demos.phrases.phrases import write_phrases
from kerasseq.applications.demos.phrases.spoken import mark_initials, spell_out
from kerasseq.applications.demos.speech.synthesis import SpokenCorpus, Utterance

NAME = "synthetic speech: phrases of the Unicode CLDR spoken by eSpeak NG"
LICENCE = "GPL-3.0 voices"

ACCENTS = (
    "en en-us en-us-nyc en-gb-scotland en-gb-x-rp en-gb-x-gbclan en-gb-x-gbcwmd en-029"
).split()
VARIANTS = "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5".split()

# Nobody speaks like these in the training and validation parts, in any accent.
UNHEARD = ("m4", "m7", "f3")

# Dates in digits, signs and abbreviations can be read aloud in several ways, and names of
# languages by nobody.
NOT_SAID = {"date yMd", "date short", "time medium", "money standard", "measure short"}

LONGEST = 13  # words


def make_corpora(
    seed: int = 1, train: int = 4_000, valid: int = 300, test: int = 300
) -> dict[str, SpokenCorpus]:
    """Returns spoken dates, times, amounts and places, in the parts "train", "valid" and "test".

    "on tuesday march third twenty twenty six at five fourteen pm" is one, of 1 to 4 seconds, with
    noise 5 to 30 dB below it. No value that is said in the test part is said in the training part
    (see `kerasseq.applications.demos.phrases`), and no voice of the test part is heard there.

    Raises:
        UserError: the package babel or espeakng-loader is not installed.
    """
    written = write_phrases(("en",), seed, train, valid, test, keep=_is_said)
    return {
        part: SpokenCorpus(_draw_utterances([text for (text,) in some], part, seed), f"{part} part")
        for part, some in written.items()
    }


def _is_said(kind: str) -> bool:
    return kind not in NOT_SAID and not kind.startswith("languages")


def _draw_utterances(texts: Sequence[str], part: str, seed: int) -> list[Utterance]:
    rng = Random(f"{seed} {part} voices")
    variants = [name for name in VARIANTS if (name in UNHEARD) == (part == "test")]
    transcripts = [spell_out(text) for text in texts]
    return [
        Utterance(
            mark_initials(transcript),
            transcript,
            f"{rng.choice(ACCENTS)}+{rng.choice(variants)}",
            speed=rng.randrange(145, 206, 5),
            pitch=rng.randrange(30, 71),
            snr=round(rng.uniform(5, 30), 1),
            colour=round(rng.uniform(0, 0.95), 2),
            level=round(rng.uniform(-20, -1), 1),
            seed=rng.randrange(1 << 32),
        )
        for transcript in transcripts
        if len(transcript.split()) <= LONGEST
    ]
