"""Encoders: vectors (N, S, D) and a mask to a `Memory`."""

from kerasseq.encoders.convolution import ConvolutionalEncoder
from kerasseq.encoders.rnn import RNNEncoder
from kerasseq.encoders.transformer import TransformerEncoder

__all__ = ["ConvolutionalEncoder", "RNNEncoder", "TransformerEncoder"]
