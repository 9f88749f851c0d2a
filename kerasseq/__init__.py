"""kerasseq: sequence-to-sequence learning with Keras 3."""

from kerasseq.default_backend import choose

choose()

from kerasseq import attention, decoders, encoders, generation, models  # noqa: E402
from kerasseq.embedding import TokenEmbedding  # noqa: E402
from kerasseq.errors import UserError  # noqa: E402
from kerasseq.generation import Beam, Greedy, Sample  # noqa: E402
from kerasseq.masking import Memory  # noqa: E402
from kerasseq.models import Options, Seq2Seq, load  # noqa: E402
from kerasseq.preprocessing import TextPreprocessor, Tokenizer  # noqa: E402

__version__ = "0.1.0"

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
