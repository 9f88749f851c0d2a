from kerasseq.data.batches import TokenBatches
from kerasseq.data.corpus import Corpus, ListCorpus, holdout
from kerasseq.data.plan import BatchPlan
from kerasseq.data.readers import FileCorpus
from kerasseq.data.recording_lists import RecordingCorpus
from kerasseq.data.recordings import Recording, SoundCorpus, cut_off
from kerasseq.data.sound_batches import SoundBatches, sound_plan
from kerasseq.data.sound_store import SoundStore
from kerasseq.data.store import TokenStore

__all__ = [
    "BatchPlan",
    "Corpus",
    "FileCorpus",
    "ListCorpus",
    "Recording",
    "RecordingCorpus",
    "SoundBatches",
    "SoundCorpus",
    "SoundStore",
    "TokenBatches",
    "TokenStore",
    "cut_off",
    "holdout",
    "sound_plan",
]
