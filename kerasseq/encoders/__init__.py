"""Encoders: from vectors (N, S, D) and a mask to a `Memory`."""

from kerasseq.encoders.chain import Chain
from kerasseq.encoders.conformer import Conformer
from kerasseq.encoders.convolution import ConvolutionalEncoder
from kerasseq.encoders.pictures import ConvolutionalFeatures, Patches, PictureEncoder
from kerasseq.encoders.rnn import RNNEncoder
from kerasseq.encoders.row_convolution import RowConvolution
from kerasseq.encoders.subsampling import ConvolutionalSubsampling, FrameStacking, Projection
from kerasseq.encoders.transformer import TransformerEncoder

__all__ = [
    "Chain",
    "Conformer",
    "ConvolutionalEncoder",
    "ConvolutionalFeatures",
    "ConvolutionalSubsampling",
    "FrameStacking",
    "RowConvolution",
    "Patches",
    "PictureEncoder",
    "Projection",
    "RNNEncoder",
    "TransformerEncoder",
]
