"""Recordings on disk."""

import numpy as np

from kerasseq.data.sound.recordings import Recording
from kerasseq.data.store import ExampleStore, Format
from kerasseq.errors import UserError
from kerasseq.media.sound import SoundError
from kerasseq.preprocessing.speech import SpeechPreprocessor

FRAMES = 100
"""Frames a second: the unit of the lengths that a plan is made of."""

_MIN_SECONDS = 0.05  # two windows of 25 ms


class SoundStore(ExampleStore):
    """Waveforms (int16), target ids and normalised transcripts of N recordings, on disk.

    Only lengths are in memory: 20 bytes for each recording. `build` leaves out recordings that are
    longer than `preprocessor.max_seconds` or shorter than 0.05 s, and transcripts that are empty
    after normalisation or have more than `max_target_length` pieces.

    Args:
        path: the folder that `build` wrote.
        preprocessor: the preprocessor that the store was built with.

    Attributes:
        problems: the entries of the corpus that were left out.
        unknown: the units of the transcripts that are not in the vocabulary.

    Example:

    >>> import numpy as np
    >>> import soundfile
    >>> from pathlib import Path
    >>> from kerasseq.data import RecordingCorpus, SoundStore
    >>> from kerasseq.preprocessing import SpeechPreprocessor
    >>> for name in ("yes", "no"):
    ...     soundfile.write(f"{name}.wav", np.zeros(8000, "int16"), 8000)
    >>> Path("list.tsv").write_text("yes.wav\\tyes\\nno.wav\\tno\\n")
    22
    >>> corpus = RecordingCorpus("list.tsv")
    >>> preprocessor = SpeechPreprocessor.learn(corpus.texts(), rate=8000)
    >>> store = SoundStore.build("store", corpus, preprocessor)
    >>> len(store), store.seconds
    (2, 2.0)
    >>> store.texts([1])
    ['no']
    >>> store.sounds([1])[0].shape
    (8000,)
    """

    example, text = "recording", "transcript"

    @classmethod
    def _format(cls, preprocessor: SpeechPreprocessor) -> Format:
        def check(recording: Recording, samples: np.ndarray) -> None:
            if len(samples) < _MIN_SECONDS * preprocessor.rate:
                raise SoundError(recording.path, f"shorter than {_MIN_SECONDS} s")

        return Format((preprocessor.rate, preprocessor.max_seconds), "int16", check=check)

    def frames(self, slowest: float = 1.0) -> np.ndarray:
        """Returns the lengths in frames of 10 ms: (N,) int32.

        Args:
            slowest: the speed at which the recordings are played.
        """
        # One frame more than it takes: resampling may round up.
        extra = int(slowest != 1)
        samples = self._values.lengths / slowest
        return (np.ceil(samples * FRAMES / self.preprocessor.rate) + extra).astype(np.int32)

    @property
    def seconds(self) -> float:
        """The length of all recordings together."""
        return float(self._values.lengths.sum(dtype=np.int64)) / self.preprocessor.rate

    def sounds(self, indices: np.ndarray) -> list[np.ndarray]:
        """Returns some waveforms, each (samples,) int16."""
        rows = self._values.take(np.asarray(indices))
        return np.split(rows.ids, rows.offsets[1:-1])

    def texts(self, indices: np.ndarray) -> list[str]:
        """Returns the normalised transcripts of some recordings."""
        return [text for (text,) in self.references(indices)]


def check_speeds(speeds: tuple[float, ...]) -> tuple[float, ...]:
    """Returns the factors of a speed perturbation.

    Raises:
        UserError: if there is no factor, or if a factor is not from 0.5 to 2.
    """
    if not speeds or not all(0.5 <= speed <= 2 for speed in speeds):
        raise UserError(f"Speeds must be from 0.5 to 2, not {speeds}.")
    return tuple(speeds)
