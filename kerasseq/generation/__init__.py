"""Generation: one decoding loop, its strategies and its filters."""

from kerasseq.generation.beam import Beam, of_width
from kerasseq.generation.ensemble import Ensemble
from kerasseq.generation.filters import Ban, ForcedPrefix, MinimumLength, NoRepeatedNGram
from kerasseq.generation.forcing import attend, rescore
from kerasseq.generation.fusion import Fusion
from kerasseq.generation.search import search
from kerasseq.generation.strategies import Greedy, Sample

__all__ = [
    "Ban",
    "Beam",
    "Ensemble",
    "ForcedPrefix",
    "Fusion",
    "Greedy",
    "MinimumLength",
    "NoRepeatedNGram",
    "Sample",
    "attend",
    "of_width",
    "rescore",
    "search",
]
