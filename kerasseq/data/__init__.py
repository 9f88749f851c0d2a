"""Examples to train on: corpora, stores on disk, plans and batches."""

from kerasseq.lazy import define_lazy_names

# Where each name is. The batches need Keras, and the readers of lists do not.
_MODULES = {
    "BatchPlan": "kerasseq.data.plan",
    "Captioned": "kerasseq.data.pictures.captioned",
    "CaptionedCorpus": "kerasseq.data.pictures.captioned",
    "Corpus": "kerasseq.data.corpus",
    "Examples": "kerasseq.data.examples",
    "FileCorpus": "kerasseq.data.text.lists",
    "FrozenEncoder": "kerasseq.data.pictures.store",
    "ListCorpus": "kerasseq.data.text.corpus",
    "ListedExamples": "kerasseq.data.examples",
    "PairCorpus": "kerasseq.data.text.corpus",
    "PictureBatches": "kerasseq.data.pictures.batches",
    "PictureCorpus": "kerasseq.data.pictures.lists",
    "PictureStore": "kerasseq.data.pictures.store",
    "Recording": "kerasseq.data.sound.recordings",
    "RecordingCorpus": "kerasseq.data.sound.lists",
    "SoundBatches": "kerasseq.data.sound.batches",
    "SoundCorpus": "kerasseq.data.sound.recordings",
    "SoundStore": "kerasseq.data.sound.store",
    "Survey": "kerasseq.data.facts",
    "TokenBatches": "kerasseq.data.text.batches",
    "TokenStore": "kerasseq.data.text.store",
    "holdout": "kerasseq.data.splitting",
    "picture_plan": "kerasseq.data.pictures.batches",
    "sound_plan": "kerasseq.data.sound.batches",
    "survey": "kerasseq.data.facts",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
