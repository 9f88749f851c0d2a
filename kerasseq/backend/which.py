"""The backend that runs, and its devices."""

import os

import keras


def name() -> str:
    """Returns the name of the backend: "tensorflow", "jax" or "torch"."""
    return keras.backend.backend()


def has_accelerator() -> bool:
    """Returns whether there is a GPU or a TPU."""
    if name() == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if name() == "torch":
        import torch

        return torch.cuda.is_available()
    import jax

    return jax.default_backend() != "cpu"


def count_parallel_calls() -> int:
    """Returns how many threads should call compiled functions at the same time.

    On a CPU a loop of small products keeps one core busy, so that each core can run a call. An
    accelerator runs one call after the other, and the loop of PyTorch holds the interpreter.
    """
    if name() == "torch" or has_accelerator():
        return 1
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 8)
