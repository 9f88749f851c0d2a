from kerasseq.data.batches import TokenBatches
from kerasseq.data.corpus import Corpus, ListCorpus, holdout
from kerasseq.data.plan import BatchPlan
from kerasseq.data.readers import FileCorpus
from kerasseq.data.store import TokenStore

__all__ = [
    "BatchPlan",
    "Corpus",
    "FileCorpus",
    "ListCorpus",
    "TokenBatches",
    "TokenStore",
    "holdout",
]
