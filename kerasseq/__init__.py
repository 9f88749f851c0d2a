"""kerasseq: sequence-to-sequence learning with Keras 3."""

from pathlib import Path

from kerasseq.default_backend import choose

choose()

from kerasseq import attention, decoders, encoders, generation, models  # noqa: E402
from kerasseq.embedding import TokenEmbedding  # noqa: E402
from kerasseq.errors import UserError  # noqa: E402
from kerasseq.generation import Beam, Greedy, Sample  # noqa: E402
from kerasseq.masking import Memory  # noqa: E402
from kerasseq.models import Options, Seq2Seq  # noqa: E402
from kerasseq.preprocessing import TextPreprocessor, Tokenizer  # noqa: E402

__version__ = "0.1.0"


def load(model: str | Path) -> Seq2Seq:
    """The model of a `.keras` file, of a run folder, or of a preset's name.

    Raises:
        UserError: there is none, or the file is damaged or no Keras model.
    """
    from kerasseq.applications import presets

    return presets.load(model)


__all__ = [
    "Beam",
    "Greedy",
    "Memory",
    "Options",
    "Sample",
    "Seq2Seq",
    "TextPreprocessor",
    "TokenEmbedding",
    "Tokenizer",
    "UserError",
    "attention",
    "decoders",
    "encoders",
    "generation",
    "load",
    "models",
]
