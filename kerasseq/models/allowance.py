"""The limit of the layers that a configuration may build: the weights of its file."""

import contextlib
import math
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import keras

from kerasseq.errors import UserError

# A layer has a group in the file of weights; a few are made and thrown away.
_LAYERS_OF_A_GROUP, _MORE_LAYERS = 2, 100

# Each takes a hundredth of a second to build; the largest networks of Keras have 1,000.
_MOST_LAYERS = 4_000

_patching = threading.RLock()


class _Allowance:
    """The number of layers and of numbers that may still be made."""

    def __init__(self, layers: int, numbers: int):
        self.layers, self.numbers = layers, numbers

    def take(self, layers: int = 0, numbers: int = 0) -> None:
        self.layers, self.numbers = self.layers - layers, self.numbers - numbers
        if min(self.layers, self.numbers) < 0:
            raise UserError("its configuration describes a larger model than it has weights for")


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)


@contextlib.contextmanager
def limit_layers(groups: int, numbers: int) -> Iterator[None]:
    """Limits the layers that this thread makes in the block to the size of a file of weights.

    Their weights begin as zeros, since the file's take their place: no initialiser takes time.

    Args:
        groups: the number of groups in the file.
        numbers: the number of numbers in its arrays.

    Raises:
        UserError: in the block, before memory is taken for what is too large.
    """
    with _patching, _count_layers():
        layers = min(_LAYERS_OF_A_GROUP * groups + _MORE_LAYERS, _MOST_LAYERS)
        token = _allowance.set(_Allowance(layers, numbers))
        try:
            yield
        finally:
            _allowance.reset(token)


@contextlib.contextmanager
def _count_layers() -> Iterator[None]:
    """Counts the layers of Keras against the allowance of their thread, if it has one."""
    layer = keras.layers.Layer
    make, add_weight = layer.__init__, layer.add_weight

    def counted_make(self: Any, *args: Any, **kwargs: Any) -> None:
        if allowance := _allowance.get():
            allowance.take(layers=1)
        make(self, *args, **kwargs)

    def counted_weight(self: Any, *args: Any, **kwargs: Any) -> Any:
        if allowance := _allowance.get():
            named = dict(zip(("shape", "initializer", "dtype"), args, strict=False)) | kwargs
            allowance.take(numbers=math.prod(named.get("shape") or ()))
            args, kwargs = (), {**named, "initializer": "zeros"}
        return add_weight(self, *args, **kwargs)

    layer.__init__, layer.add_weight = counted_make, counted_weight
    try:
        yield
    finally:
        layer.__init__, layer.add_weight = make, add_weight
