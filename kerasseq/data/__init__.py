from kerasseq.data.batches import TokenBatches
from kerasseq.data.corpus import Corpus, ListCorpus, holdout
from kerasseq.data.examples import Examples, ListedExamples, cut_off
from kerasseq.data.picture_batches import PictureBatches, picture_plan
from kerasseq.data.picture_lists import PictureCorpus
from kerasseq.data.picture_store import FrozenEncoder, PictureStore
from kerasseq.data.pictures import Captioned, CaptionedCorpus
from kerasseq.data.plan import BatchPlan
from kerasseq.data.readers import FileCorpus
from kerasseq.data.recording_lists import RecordingCorpus
from kerasseq.data.recordings import Recording, SoundCorpus
from kerasseq.data.sound_batches import SoundBatches, sound_plan
from kerasseq.data.sound_store import SoundStore
from kerasseq.data.store import TokenStore

__all__ = [
    "BatchPlan",
    "Captioned",
    "CaptionedCorpus",
    "Corpus",
    "Examples",
    "FileCorpus",
    "FrozenEncoder",
    "ListCorpus",
    "ListedExamples",
    "PictureBatches",
    "PictureCorpus",
    "PictureStore",
    "Recording",
    "RecordingCorpus",
    "SoundBatches",
    "SoundCorpus",
    "SoundStore",
    "TokenBatches",
    "TokenStore",
    "cut_off",
    "holdout",
    "picture_plan",
    "sound_plan",
]
