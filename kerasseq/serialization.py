"""Layers that are made of layers, from their configurations."""

from typing import Any

import keras


def revived(config: dict, *names: str) -> dict:
    """A copy of a configuration with objects in the place of their descriptions.

    The configuration itself does not change, so that it can make a second model.

    Args:
        names: of the arguments that are objects; one that is an object already stays.
    """
    described = {name: config[name] for name in names if isinstance(config.get(name), dict | list)}
    revive = keras.saving.deserialize_keras_object
    return {**config, **{name: revive(_copied(part)) for name, part in described.items()}}


def _copied(part: Any) -> Any:
    """A description that Keras may empty, as it does with that of a functional model."""
    if isinstance(part, dict):
        return {key: _copied(value) for key, value in part.items()}
    return [_copied(value) for value in part] if isinstance(part, list) else part
