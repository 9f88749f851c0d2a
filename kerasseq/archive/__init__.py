"""Model files, which may come from strangers: checks of their content before any use."""

from kerasseq.archive.model_file import WEIGHTS, ModelFolder, unpack_model
from kerasseq.archive.weights import check_weights

__all__ = ["WEIGHTS", "ModelFolder", "check_weights", "unpack_model"]
