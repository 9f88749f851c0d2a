"""Models: they train, save, load and generate text."""

from kerasseq.models.base import SequenceModel
from kerasseq.models.compact import compact
from kerasseq.models.ctc import CTC
from kerasseq.models.hybrid import HybridSeq2Seq, JointSeq2Seq
from kerasseq.models.hypothesis import Hypothesis, Word
from kerasseq.models.options import Options
from kerasseq.models.seq2seq import Seq2Seq
from kerasseq.models.transducer import Transducer

__all__ = [
    "CTC",
    "Hypothesis",
    "HybridSeq2Seq",
    "JointSeq2Seq",
    "Options",
    "Seq2Seq",
    "SequenceModel",
    "Transducer",
    "Word",
    "compact",
]
