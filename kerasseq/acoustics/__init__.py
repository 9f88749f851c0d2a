"""Acoustic features: from (N, samples) int16 and a mask to a `Memory` of frames."""

from kerasseq.acoustics.augment import FrequencyWarp, SpecAugment
from kerasseq.acoustics.mel import mel_filters
from kerasseq.acoustics.spectrogram import LogMel

__all__ = ["FrequencyWarp", "LogMel", "SpecAugment", "mel_filters"]
