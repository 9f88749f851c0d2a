"""The compiled functions of a model: cached, few, and never stale."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from keras import ops, tree

from kerasseq import backend

MOST = 64
"""Functions that are kept for a model: those that were called last."""

_MOST_CONSTANTS = 4

# One trace at a time, of all functions: the state of Keras's tracing belongs to the process.
_tracing = threading.Lock()


class Functions:
    """The compiled functions of some layers, safe to call from several threads.

    A function is known by its key and by the shapes of its arguments. Its graph depends on the key
    alone; numbers that change from call to call are arguments.

    Args:
        variables: the Keras variables that the functions use.
        layers: the layers of these variables.
    """

    def __init__(self, variables: list, layers: Sequence[Any] = ()):
        self._variables, self._layers = variables, tuple(layers)
        self._kept: OrderedDict = OrderedDict()
        self._constants: OrderedDict = OrderedDict()
        self._lock = threading.Lock()

    def belong_to(self, layers: Sequence[Any]) -> bool:
        """Whether they belong to these very layers."""
        return len(layers) == len(self._layers) and all(map(_same, layers, self._layers))

    def __len__(self) -> int:
        return len(self._kept)

    def constants(self, key: Hashable, make: Callable) -> backend.Constants:
        """Returns the constants that functions share, by everything that `make` depends on."""
        with self._lock:
            if key not in self._constants:
                self._constants[key] = backend.Constants(self._variables, make)
            return _latest(self._constants, key, _MOST_CONSTANTS)

    def __call__(
        self,
        key: Hashable,
        fn: Callable,
        *args: Any,
        jit: bool = True,
        constants: backend.Constants | None = None,
    ) -> Any:
        """Calls `fn(*args)`, compiled at the first call with this key and these shapes.

        Args:
            key: everything that the graph of `fn` depends on, except the arguments' shapes.
            fn: a function of pytrees of arrays.
            jit, constants: as for `backend.compile_function`.
        """
        args = tree.map_structure(ops.convert_to_tensor, args)
        key = key, jit, tuple((tuple(leaf.shape), leaf.dtype) for leaf in tree.flatten(args))
        function = self._found(key)
        if function is not None:
            return function(*args)
        with _tracing:
            # Another thread may have been here before.
            function = self._found(key) or backend.compile_function(
                self._variables, fn, jit, constants
            )
            result = function(*args)
            with self._lock:
                self._kept[key] = function
                _latest(self._kept, key, MOST)
        return result

    def _found(self, key: Hashable) -> Callable | None:
        with self._lock:
            return _latest(self._kept, key, MOST) if key in self._kept else None


def _same(one: Any, other: Any) -> bool:
    return one is other


def _latest(kept: OrderedDict, key: Hashable, most: int) -> Any:
    """Returns the item of a key and makes it the latest; the oldest beyond `most` go."""
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[key]
