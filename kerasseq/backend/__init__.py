"""The differences between TensorFlow, JAX and PyTorch. No other package asks which one runs."""

from kerasseq.backend.convolutions import depthwise_conv_1d, depthwise_conv_2d
from kerasseq.backend.functions import Constants, compile_function, mixed_matmul
from kerasseq.backend.loops import scan
from kerasseq.backend.randomness import get_random_state, set_random_state
from kerasseq.backend.steppers import Stepper, make_stepper
from kerasseq.backend.which import count_parallel_calls, has_accelerator, name

__all__ = [
    "Constants",
    "Stepper",
    "compile_function",
    "count_parallel_calls",
    "depthwise_conv_1d",
    "depthwise_conv_2d",
    "get_random_state",
    "has_accelerator",
    "make_stepper",
    "mixed_matmul",
    "name",
    "scan",
    "set_random_state",
]
