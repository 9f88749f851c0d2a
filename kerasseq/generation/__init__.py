"""Generation: one decoding loop, its strategies and its filters."""

from kerasseq.generation.beam import Beam, search_of_width
from kerasseq.generation.ensemble import Ensemble
from kerasseq.generation.filters import Ban, ForcedPrefix, MinimumLength, NoRepeatedNGram
from kerasseq.generation.forcing import attend, rescore
from kerasseq.generation.search import search
from kerasseq.generation.shallow_fusion import ShallowFusion
from kerasseq.generation.strategies import Greedy, Sample

__all__ = [
    "Ban",
    "Beam",
    "Ensemble",
    "ForcedPrefix",
    "ShallowFusion",
    "Greedy",
    "MinimumLength",
    "NoRepeatedNGram",
    "Sample",
    "attend",
    "search_of_width",
    "rescore",
    "search",
]
