"""Classes that model files name, and layers that consist of layers."""

from collections.abc import Callable
from typing import Any

import keras


def register(*old_names: str) -> Callable[[type], type]:
    """Registers a class under `kerasseq>` and its name, so that model files can name it.

    Args:
        old_names: names that the class had in earlier versions. A file with one of them loads as
            a subclass of this name, since Keras stores the weights of a layer within a list under
            the name of its class.
    """

    def decorate(cls: type) -> type:
        for name in old_names:
            attributes = {"__module__": cls.__module__, "__doc__": cls.__doc__, "is_old_name": True}
            keras.saving.register_keras_serializable("kerasseq")(type(name, (cls,), attributes))
        return keras.saving.register_keras_serializable("kerasseq")(cls)

    return decorate


def deserialize_arguments(config: dict, *names: str) -> dict:
    """Returns a copy of a configuration in which the named arguments are objects.

    The configuration itself does not change, so that it can make a second model.

    Args:
        names: the arguments to deserialize. One that is an object already stays as it is.
    """
    serialized = {name: config[name] for name in names if isinstance(config.get(name), dict | list)}
    deserialize = keras.saving.deserialize_keras_object
    return {**config, **{name: deserialize(_copy(part)) for name, part in serialized.items()}}


def _copy(part: Any) -> Any:
    """Copies nested dicts and lists, since Keras empties the one of a functional model."""
    if isinstance(part, dict):
        return {key: _copy(value) for key, value in part.items()}
    return [_copy(value) for value in part] if isinstance(part, list) else part
