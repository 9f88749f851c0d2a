"""Examples to train on: lists and texts, stored and batched."""

from kerasseq.lazy import lazy_names

# Where each name is. The batches need Keras, and the readers of lists do not.
_MODULES = {
    "BatchPlan": "kerasseq.data.plan",
    "Captioned": "kerasseq.data.pictures",
    "CaptionedCorpus": "kerasseq.data.pictures",
    "Corpus": "kerasseq.data.corpus",
    "Examples": "kerasseq.data.examples",
    "FileCorpus": "kerasseq.data.readers",
    "FrozenEncoder": "kerasseq.data.picture_store",
    "ListCorpus": "kerasseq.data.corpus",
    "ListedExamples": "kerasseq.data.examples",
    "PictureBatches": "kerasseq.data.picture_batches",
    "PictureCorpus": "kerasseq.data.picture_lists",
    "PictureStore": "kerasseq.data.picture_store",
    "Recording": "kerasseq.data.recordings",
    "RecordingCorpus": "kerasseq.data.recording_lists",
    "SoundBatches": "kerasseq.data.sound_batches",
    "SoundCorpus": "kerasseq.data.recordings",
    "SoundStore": "kerasseq.data.sound_store",
    "TokenBatches": "kerasseq.data.batches",
    "TokenStore": "kerasseq.data.store",
    "cut_off": "kerasseq.data.examples",
    "holdout": "kerasseq.data.corpus",
    "picture_plan": "kerasseq.data.picture_batches",
    "sound_plan": "kerasseq.data.sound_batches",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
