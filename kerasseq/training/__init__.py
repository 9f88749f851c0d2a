"""Training that continues after an interruption as if there had been none."""

from kerasseq.lazy import define_lazy_names

# Where each name is. The settings need no Keras, whose import takes seconds.
_MODULES = {
    "Batches": "kerasseq.training.fitting",
    "Interrupted": "kerasseq.training.interrupt",
    "Position": "kerasseq.training.position",
    "Run": "kerasseq.training.run",
    "TrainingConfig": "kerasseq.training.config",
    "Watch": "kerasseq.training.watch",
    "fit": "kerasseq.training.fitting",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
