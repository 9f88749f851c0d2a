"""Models that align labels to frames monotonically: losses, searches and the joiner."""

from kerasseq.transduction.ctc import (
    ForcedAlignment,
    align_labels,
    ctc_consistency,
    ctc_greedy_search,
    ctc_loss,
    least_frames,
)
from kerasseq.transduction.ctc_prefix import CTCPrefix
from kerasseq.transduction.ctc_prefix_beam import ctc_prefix_beam_search
from kerasseq.transduction.joiner import Joiner
from kerasseq.transduction.result import SearchResult
from kerasseq.transduction.transducer import transducer_lattice, transducer_loss
from kerasseq.transduction.transducer_beam import transducer_beam_search
from kerasseq.transduction.transducer_search import transducer_greedy_search

__all__ = [
    "CTCPrefix",
    "ForcedAlignment",
    "Joiner",
    "SearchResult",
    "align_labels",
    "ctc_consistency",
    "ctc_greedy_search",
    "ctc_loss",
    "ctc_prefix_beam_search",
    "least_frames",
    "transducer_beam_search",
    "transducer_greedy_search",
    "transducer_lattice",
    "transducer_loss",
]
