"""What differs between TensorFlow, JAX and PyTorch; nothing else asks which of them runs."""

from kerasseq.backend.convolutions import depthwise, depthwise_2d
from kerasseq.backend.functions import Constants, compiled, product
from kerasseq.backend.loops import scan
from kerasseq.backend.randomness import random_state, set_random_state
from kerasseq.backend.steppers import Stepper, stepper
from kerasseq.backend.which import accelerator, name, parallel_calls

__all__ = [
    "Constants",
    "Stepper",
    "accelerator",
    "compiled",
    "depthwise",
    "depthwise_2d",
    "name",
    "parallel_calls",
    "product",
    "random_state",
    "scan",
    "set_random_state",
    "stepper",
]
