"""Which backend runs, and on what."""

import os

import keras


def name() -> str:
    """The backend that runs: "tensorflow", "jax" or "torch"."""
    return keras.backend.backend()


def has_accelerator() -> bool:
    """Whether there is a GPU or a TPU."""
    if name() == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if name() == "torch":
        import torch

        return torch.cuda.is_available()
    import jax

    return jax.default_backend() != "cpu"


def count_parallel_calls() -> int:
    """How many calls of compiled functions are worth making side by side, from threads.

    On a CPU a loop of small products keeps one core busy, so each core can have a call of its
    own. An accelerator takes one after the other, and PyTorch's loop holds the interpreter.
    """
    if name() == "torch" or has_accelerator():
        return 1
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 8)
