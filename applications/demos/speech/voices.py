"""Sentences spoken in many synthetic voices: recordings to pretrain a recogniser on.

    python -m kerasseq.applications.demos.speech.voices SENTENCES OUTPUT --count 10000

SENTENCES is a text file with a sentence a line. OUTPUT gets FLAC files and `list.tsv`, which
`kerasseq train speech-recognition --train OUTPUT/list.tsv` takes. eSpeak NG speaks a hundred
languages (`--language fr`). For English, the voices of Flite and Festival join it if their programs
are installed (Debian: flite, festival, festvox-us-slt-hts, festvox-kallpc16k, festvox-kdlpc16k).
"""

import argparse
import csv
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import soundfile

from kerasseq.applications.common.preparation import make_progress
from kerasseq.applications.demos.speech.corpus import ACCENTS, VARIANTS
from kerasseq.applications.demos.speech.surroundings import add_surroundings
from kerasseq.applications.demos.speech.synthesis import Utterance, speak
from kerasseq.data.parallel import batched, map_in_threads
from kerasseq.errors import UserError

RATE = 16000

# Of eSpeak NG, beside those of the demonstration.
MORE_VARIANTS = "klatt2 klatt3 klatt4 adam Alex Alicia Andy Annie belinda david linda Mike".split()
FLITE = "awb rms slt kal16".split()
FESTIVAL = "cmu_us_slt_arctic_hts kal_diphone ked_diphone".split()

# Words that the voices of Flite and Festival read better in another spelling.
_LETTERS = {"a": "ay"}
_AT_ONCE = 32


class Sentence(NamedTuple):
    """A sentence to be spoken.

    Attributes:
        number: its place among all sentences; it seeds what is drawn.
        text: the transcript.
        engine: "espeak", "flite" or "festival".
        voice: of the engine.
        stretch: the length relative to the voice's own.
        pitch: of eSpeak NG, from 0 to 99.
        warp: the factor of all frequencies, as of a shorter or a longer vocal tract.
    """

    number: int
    text: str
    engine: str
    voice: str
    stretch: float
    pitch: int
    warp: float

    @property
    def spoken(self) -> str:
        """What the engine reads: single letters are read as letters."""
        words = self.text.split()
        if sum(len(word) == 1 for word in words) * 2 <= len(words):
            return f"{self.text}."
        known = {} if self.engine == "espeak" else _LETTERS
        spelled = [known.get(word, word.upper()) if len(word) == 1 else word for word in words]
        return f"{', '.join(spelled)}."


def draw_sentences(texts: Sequence[str], count: int, language: str, seed: int) -> list[Sentence]:
    """Draws a text, a voice, a speed and a pitch for each of `count` sentences.

    Args:
        texts: are said once each, in random order, and again if they are fewer than `count`.
        language: a code of eSpeak NG.

    Raises:
        UserError: there is no text.
    """
    if not texts:
        raise UserError("There is no sentence to speak: write one on each line of the file.")
    rng = Random(seed)
    order = rng.sample(range(len(texts)), len(texts))
    engines = ["espeak"] * 9
    if language.partition("-")[0] == "en":
        engines += ["flite"] * 18 * bool(shutil.which("flite"))
        engines += ["festival"] * 6 * bool(shutil.which("festival"))
    voices = {
        "espeak": [
            f"{accent}+{variant}"
            for accent in (ACCENTS if language == "en" else [language])
            for variant in (*VARIANTS, *MORE_VARIANTS)
        ],
        "flite": FLITE,
        "festival": FESTIVAL,
    }
    sentences = []
    for number in range(count):
        engine = rng.choice(engines)
        voice, warp = rng.choice(voices[engine]), 0.05 if engine == "espeak" else 0.16
        stretch, pitch = rng.uniform(0.8, 1.25), rng.randint(25, 75)
        factor, text = rng.uniform(1 - warp, 1 + warp), texts[order[number % len(texts)]]
        sentences.append(Sentence(number, text, engine, voice, stretch, pitch, factor))
    return sentences


def speak_sentences(sentences: Sequence[Sentence]) -> Iterator[tuple[Sentence, np.ndarray]]:
    """Yields sentences of one engine with their samples int16; those that it cannot say, without.

    A process speaks some of them, one after the other.
    """
    import soxr

    engine = {"espeak": _speak_espeak, "flite": _speak_flite, "festival": _speak_festival}
    for sentence, (samples, rate) in zip(
        sentences, engine[sentences[0].engine](sentences), strict=True
    ):
        speech = soxr.resample(samples.astype(np.float32) / 32768, rate * sentence.warp, RATE)
        loud = np.flatnonzero(np.abs(speech) > 0.02 * np.abs(speech).max(initial=0) + 1e-9)
        if len(loud):
            speech = speech[max(0, loud[0] - RATE // 10) : loud[-1] + RATE // 10]
            yield sentence, add_surroundings(speech, RATE, sentence.number)


Sound = tuple[np.ndarray, int]


def _speak_espeak(sentences: Sequence[Sentence]) -> Iterator[Sound]:
    rate, sounds = speak(
        [
            Utterance(some.spoken, some.text, some.voice, round(160 / some.stretch), some.pitch)
            for some in sentences
        ]
    )
    yield from ((samples, rate) for samples in sounds)


def _speak_flite(sentences: Sequence[Sentence]) -> Iterator[Sound]:
    with tempfile.TemporaryDirectory() as folder:
        for some in sentences:
            file = Path(folder) / "said.wav"
            stretch = ["--setf", f"duration_stretch={some.stretch:.2f}"]
            _call(["flite", "-voice", some.voice, *stretch, "-t", some.spoken, "-o", str(file)])
            yield _read(file)


def _speak_festival(sentences: Sequence[Sentence]) -> Iterator[Sound]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{some.number}.wav" for some in sentences]
        script = Path(folder) / "said.scm"
        script.write_text(
            "\n".join(
                f"(voice_{some.voice})(Parameter.set 'Duration_Stretch {some.stretch:.2f})"
                f'(set! said (Utterance Text "{re.sub(chr(34), "", some.spoken)}"))'
                f'(utt.synth said)(utt.save.wave said "{file}")'
                for some, file in zip(sentences, files, strict=True)
            )
        )
        _call(["festival", "-b", str(script)])
        yield from map(_read, files)


def _call(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2] or done.returncode
        raise UserError(f"{command[0]} failed: {reason}")


def _read(file: Path) -> Sound:
    return soundfile.read(file, dtype="int16") if file.exists() else (np.zeros(0, np.int16), RATE)


def write_recordings(sentences: Sequence[Sentence], folder: Path) -> int:
    """Writes recordings and their list in a folder; returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count, report = 0, make_progress(f"of {len(sentences):,} recordings spoken")
    by_engine = sorted(sentences, key=lambda some: some.engine)
    groups = [
        group
        for engine in ("espeak", "flite", "festival")
        for group in batched((some for some in by_engine if some.engine == engine), _AT_ONCE)
    ]
    with open(folder / "list.tsv", "w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, delimiter="\t")
        writer.writerow(["path", "text", "speaker"])
        for _, spoken in map_in_threads(lambda group: list(speak_sentences(group)), groups):
            for sentence, samples in spoken:
                name = f"{sentence.number:06}.flac"
                soundfile.write(folder / name, samples, RATE)
                writer.writerow([name, sentence.text, f"{sentence.engine} {sentence.voice}"])
                count += 1
            report(count)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--language", default="en", help="a code of eSpeak NG")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        texts = arguments.sentences.read_text(encoding="utf-8").split("\n")
        texts = [text.strip() for text in texts if text.strip()]
        sentences = draw_sentences(texts, arguments.count, arguments.language, arguments.seed)
        count = write_recordings(sentences, arguments.output)
    except (UserError, OSError, UnicodeDecodeError) as error:
        sys.exit(f"{arguments.sentences}: {error}")
    print(f"{arguments.output / 'list.tsv'}: {count:,} recordings")


if __name__ == "__main__":
    main()
