"""Training that continues after an interruption as if there had been none."""

from kerasseq.training.config import TrainingConfig
from kerasseq.training.fitting import Batches, fit
from kerasseq.training.interrupt import Interrupted
from kerasseq.training.position import Position
from kerasseq.training.run import Run

__all__ = ["Batches", "Interrupted", "Position", "Run", "TrainingConfig", "fit"]
