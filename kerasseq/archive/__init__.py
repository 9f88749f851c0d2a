"""The file of a model, which may be a stranger's: what is checked before anything is made of it."""

from kerasseq.archive.model_file import WEIGHTS, Unpacked, unpacked
from kerasseq.archive.weights import check_weights

__all__ = ["WEIGHTS", "Unpacked", "check_weights", "unpacked"]
