"""Synthetic speech: a corpus of recordings that are spoken when they are read."""

import contextlib
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasseq.data.corpus import digest
from kerasseq.data.sound.recordings import Recording, SoundCorpus
from kerasseq.errors import UserError
from kerasseq.media.levels import to_int16
from kerasseq.media.sound import SoundError

FORMAT = 1  # of the sound: another makes stores anew

# Spoken by one process, one after the other: what is heard depends on what was said before.
_GROUP = 32


class Utterance(NamedTuple):
    """What is said, and how.

    Attributes:
        text: what the synthesiser reads.
        transcript: what a recogniser shall write.
        voice: of eSpeak NG, with a variant or without: "en-us", "en-gb-scotland+f2".
        speed: words a minute.
        pitch: from 0 to 99; 50 is the voice's own.
        snr: decibels of the speech above the noise.
        colour: of the noise: from 0, white, to below 1, ever darker.
        level: decibels of the loudest sample, at most 0.
        seed: of the noise.
    """

    text: str
    transcript: str
    voice: str
    speed: int = 175
    pitch: int = 50
    snr: float = 30.0
    colour: float = 0.0
    level: float = -3.0
    seed: int = 0


class SpokenCorpus(SoundCorpus):
    """Utterances as recordings; equal arguments give equal samples on one machine.

    Args:
        utterances: in the order in which a `reader` is asked for them, for the most part: it
            speaks 32 at a time and forgets what was read.
        name: of the corpus.

    Raises:
        UserError: if the package espeakng-loader is not installed.
    """

    def __init__(self, utterances: Sequence[Utterance], name: str = "synthetic speech"):
        super().__init__()
        find_synthesiser()
        self.utterances, self.name = list(utterances), name

    def __iter__(self) -> Iterator[Recording]:
        for line, utterance in enumerate(self.utterances, 1):
            yield Recording(f"{self.name} {line}", utterance.transcript, self.name, line)

    def fingerprint(self) -> str:
        return digest([str(FORMAT), *map(repr, self.utterances)])

    @contextlib.contextmanager
    def reader(
        self, rate: int, most: float | None = None
    ) -> Iterator[Callable[[Recording], np.ndarray]]:
        spoken: dict[int, tuple[int, dict[int, np.ndarray]]] = {}
        locks = [threading.Lock() for _ in range(0, len(self.utterances), _GROUP)]

        def read(recording: Recording) -> np.ndarray:
            index = recording.line - 1
            group = index // _GROUP
            with locks[group]:
                if index not in spoken.get(group, (0, {}))[1]:
                    start = group * _GROUP
                    native, some = speak(self.utterances[start : start + _GROUP])
                    spoken[group] = native, dict(enumerate(some, start))
                native, left = spoken[group]
                samples = left.pop(index)
                if not left:
                    del spoken[group]
            if most is not None and len(samples) > most * native:
                raise SoundError(recording.path, f"longer than {most:g} s")
            return record(self.utterances[index], samples, native, rate)

        yield read


def find_synthesiser() -> tuple[str, str]:
    """Returns the paths of the library eSpeak NG and of its data.

    Raises:
        UserError: if the package espeakng-loader is not installed.
    """
    if importlib.util.find_spec("espeakng_loader") is None:
        raise UserError(
            'Synthetic speech needs the package espeakng-loader: pip install "kerasseq[demo]"'
        )
    import espeakng_loader

    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()


def speak(utterances: Sequence[Utterance]) -> tuple[int, list[np.ndarray]]:
    """Speaks utterances in a new process; returns the rate and the samples (int16), without noise.

    Raises:
        UserError: if there is no such voice, or the synthesiser fails.
    """
    worker = Path(__file__).with_name("synthesis_worker.py")
    lines = [json.dumps([some.text, some.voice, some.speed, some.pitch]) for some in utterances]
    # Isolated: only the standard library is needed, and no file of this folder may pass for it.
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(worker), *find_synthesiser()],
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
    )
    if ran.returncode:
        reason = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise UserError(f"The synthesiser espeak-ng failed: {reason or ran.returncode}.")
    rate, place, rows = int.from_bytes(ran.stdout[:4], "little"), 4, []
    for _ in utterances:
        count = int.from_bytes(ran.stdout[place : place + 4], "little")
        rows.append(np.frombuffer(ran.stdout, "<i2", count, place + 4))
        place += 4 + 2 * count
    return rate, rows


def record(utterance: Utterance, samples: np.ndarray, native: int, rate: int) -> np.ndarray:
    """Adds noise to clean speech (int16), and converts its rate and level."""
    import soxr
    from scipy.signal import lfilter

    speech = soxr.resample(samples.astype(np.float32), native, rate)
    if not len(speech):
        return np.zeros(0, np.int16)
    rng = np.random.default_rng(utterance.seed)
    noise = rng.standard_normal(len(speech), np.float32)
    if utterance.colour:
        noise = lfilter([1.0], [1.0, -utterance.colour], noise)
    power = np.mean(speech**2) / np.mean(noise**2)
    heard = speech + noise * np.sqrt(power / 10 ** (utterance.snr / 10))
    return to_int16(heard / max(np.abs(heard).max(), 1e-9) * 10 ** (utterance.level / 20))
