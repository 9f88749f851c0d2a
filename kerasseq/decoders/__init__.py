"""Decoders: from a memory and earlier tokens to a distribution over the next token."""

from kerasseq.decoders.base import Decoder, Stepwise
from kerasseq.decoders.convolution import ConvolutionalDecoder
from kerasseq.decoders.rnn import RNNDecoder
from kerasseq.decoders.s2vt import S2VTDecoder
from kerasseq.decoders.transformer import TransformerDecoder

__all__ = [
    "ConvolutionalDecoder",
    "Decoder",
    "RNNDecoder",
    "S2VTDecoder",
    "Stepwise",
    "TransformerDecoder",
]
