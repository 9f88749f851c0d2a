"""Every registered class of the library, small, for the tests of what they have in common."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import keras

import kerasseq
from kerasseq.acoustics import FrequencyWarp, LogMel, SpecAugment
from kerasseq.attention import SCORES, Global, MultiHeadAttention, StepAttention
from kerasseq.attention.alignments import Hard
from kerasseq.attention.rotary import RotaryAttention
from kerasseq.attention.scores import Location
from kerasseq.backbones.depthwise import DepthwiseConv2D
from kerasseq.decoders import ConvolutionalDecoder, RNNDecoder, S2VTDecoder, TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import (
    Chain,
    Conformer,
    ConvolutionalEncoder,
    ConvolutionalFeatures,
    ConvolutionalSubsampling,
    FrameStacking,
    Patches,
    PictureEncoder,
    Projection,
    RNNEncoder,
    RowConvolution,
    TransformerEncoder,
)
from kerasseq.language_model import NGram
from kerasseq.models import CTC, HybridSeq2Seq, Seq2Seq, Transducer
from kerasseq.preprocessing import CaptionPreprocessor, SpeechPreprocessor, TextPreprocessor
from kerasseq.recurrent import GRUCell, LSTMCell
from kerasseq.training import schedules
from kerasseq.transduction.joiner import Joiner
from kerasseq.transformer import FeedForward

VOCABULARY = 9


def embedding(positions: str | None = None, width: int = 8) -> TokenEmbedding:
    return TokenEmbedding(VOCABULARY, width, positions)


def hearing() -> Chain:
    """An encoder of sound."""
    return Chain([LogMel(4000, 8), FrameStacking(4), RNNEncoder(4)])


def _predicting() -> RNNDecoder:
    return RNNDecoder(embedding(), 6, context="none", projection=False)


def _backbone() -> keras.Model:
    picture = keras.Input((8, 8, 3))
    return keras.Model(picture, keras.layers.Conv2D(4, 3, 2)(picture))


def _vocabularies(*sides: str) -> dict:
    return {side: {"size": VOCABULARY, "digest": "0"} for side in sides}


def _translating() -> dict:
    """The parts of an encoder-decoder of text."""
    decoder = TransformerDecoder(embedding("sinusoidal"), 1, 2, 6)
    return {
        "frontend": embedding("sinusoidal"),
        "encoder": TransformerEncoder(1, 2, 6),
        "decoder": decoder,
        "preprocessor": TextPreprocessor(vocabularies=_vocabularies("source", "target")),
        "language_model": NGram(VOCABULARY, 2),
    }


def _schedule() -> dict:
    return {"peak": 0.1, "warm_up": 3, "total": 9}


ARGUMENTS: dict[type, Callable[[], dict[str, Any]]] = {
    **{score: dict for score in SCORES.values()},
    **{layer: dict for layer in (Global, Hard, LogMel, FrequencyWarp, SpecAugment)},
    Location: lambda: {"units": 4, "filters": 2, "kernel_size": 3},
    StepAttention: lambda: {"score": Location(4), "alignment": Hard()},
    MultiHeadAttention: lambda: {"heads": 2, "width": 8},
    RotaryAttention: lambda: {"heads": 2, "width": 8},
    TokenEmbedding: lambda: {"vocabulary_size": VOCABULARY, "width": 8, "positions": "learned"},
    LSTMCell: lambda: {"units": 4},
    GRUCell: lambda: {"units": 4},
    FeedForward: lambda: {"units": 4},
    Joiner: lambda: {"vocabulary_size": VOCABULARY, "units": 4},
    Chain: lambda: {"layers": [FrameStacking(2), RNNEncoder(4)]},
    Conformer: lambda: {"layers": 1, "heads": 2, "units": 6, "kernel_size": 3},
    ConvolutionalEncoder: lambda: {"units": 4},
    ConvolutionalFeatures: lambda: {"size": (8, 8), "filters": (3, 4), "strides": (2, 1)},
    ConvolutionalSubsampling: lambda: {"filters": 3, "width": 4},
    FrameStacking: lambda: {"factor": 2},
    RowConvolution: lambda: {"steps": 2},
    Patches: lambda: {"size": (8, 8), "patch": 4},
    PictureEncoder: lambda: {"backbone": _backbone(), "scaling": "unit"},
    DepthwiseConv2D: lambda: {"kernel_size": 3},
    Projection: lambda: {"width": 4},
    RNNEncoder: lambda: {"units": 4},
    TransformerEncoder: lambda: {"layers": 1, "heads": 2, "units": 6},
    RNNDecoder: lambda: {"embedding": embedding(), "units": 6, "attention": "location"},
    S2VTDecoder: lambda: {"embedding": embedding(), "units": 6},
    TransformerDecoder: lambda: {
        "embedding": embedding("learned"),
        "layers": 1,
        "heads": 2,
        "units": 6,
    },
    ConvolutionalDecoder: lambda: {"embedding": embedding("learned"), "units": 4},
    NGram: lambda: {"vocabulary_size": VOCABULARY, "order": 2},
    TextPreprocessor: lambda: {"vocabularies": _vocabularies("source", "target")},
    SpeechPreprocessor: lambda: {"vocabularies": _vocabularies("target")},
    CaptionPreprocessor: lambda: {"vocabularies": _vocabularies("target"), "size": (8, 8)},
    Seq2Seq: _translating,
    HybridSeq2Seq: _translating,
    CTC: lambda: {"encoder": hearing(), "vocabulary_size": VOCABULARY, "card": {"data": ["a"]}},
    Transducer: lambda: {
        "encoder": hearing(),
        "decoder": _predicting(),
        "joiner": Joiner(VOCABULARY, 4),
    },
    schedules.Constant: _schedule,
    schedules.InverseSquareRoot: _schedule,
    schedules.CosineSchedule: _schedule,
    schedules.Linear: _schedule,
}


def made(kind: type, **arguments: Any) -> Any:
    """One of a class, with some arguments other than those above."""
    return kind(**{**ARGUMENTS[kind](), **arguments})


def registered() -> dict[str, type]:
    """Every class that a model file can name, by the name it has there, but for old names."""
    for module in pkgutil.walk_packages(kerasseq.__path__, "kerasseq."):
        if "applications" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = keras.saving.get_custom_objects()
    return {
        name: kind
        for name, kind in found.items()
        if name.startswith("kerasseq>") and not getattr(kind, "is_old_name", False)
    }
