"""The settings that a search may change, and between which values."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kerasseq.config import find_unused, from_dict, get_setting, list_keys, to_dict


@dataclass(frozen=True)
class Range:
    """The numbers between two bounds.

    Args:
        key: the dotted key of the setting.
        low, high: the bounds, both included.
        log: whether equal ratios are equally likely.
        step: the distance of whole numbers; 0 for all real numbers.
    """

    key: str
    low: float
    high: float
    log: bool = False
    step: int = 0

    def include(self, value: float) -> "Range":
        """Returns the range widened to a value."""
        low, high = min(self.low, value), max(self.high, value)
        step = self.step and math.gcd(self.step, value - self.low, self.high - self.low)
        return replace(self, low=low, high=high, step=step)

    def suggest(self, trial: Any) -> float:
        """Asks a trial for a value."""
        if self.step:
            return trial.suggest_int(self.key, self.low, self.high, step=self.step)
        value = trial.suggest_float(self.key, self.low, self.high, log=self.log)
        return float(f"{value:.3g}")

    def describe(self) -> str:
        return f"{self.key} {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """Some values, in no order.

    Args:
        key: the dotted key of the setting.
        values: the values.
        where: another setting and the values of it with which this setting has an effect.
    """

    key: str
    values: tuple
    where: tuple[str, tuple] | None = None

    def include(self, value: Any) -> "Choice":
        """Returns the choice with a further value."""
        values = self.values if value in self.values else (*self.values, value)
        return replace(self, values=values)

    def suggest(self, trial: Any) -> Any:
        """Asks a trial for a value."""
        return json.loads(trial.suggest_categorical(self.key, list(map(encode, self.values))))

    def describe(self) -> str:
        return f"{self.key} {', '.join(map(encode, self.values))}".replace('"', "")


Setting = Range | Choice


@dataclass(frozen=True)
class Space:
    """What a head lets a search change.

    Attributes:
        kinds: the kinds of model.
        settings: the settings, each after those on which its effect depends.
        units: the settings (or sections) with which the loss changes its meaning: losses of other
            units, or of another kind of loss, cannot be compared.
        encoding: the settings (or sections) that decide how the data are encoded.
    """

    kinds: tuple[str, ...]
    settings: tuple[Setting, ...]
    units: tuple[str, ...]
    encoding: tuple[str, ...]


def encode(value: Any) -> str:
    """Returns a value as JSON, which Optuna stores where it cannot store the value."""
    return json.dumps(value, ensure_ascii=False)


def decode(value: Any) -> Any:
    """Returns the value of a setting that Optuna stores."""
    return json.loads(value) if isinstance(value, str) else value


def is_within(key: str, names: Iterable[str]) -> bool:
    """Returns whether a setting is one of some settings, or in one of some sections."""
    return any(f"{key}.".startswith(f"{name}.") for name in names)


def _get_plain(config: Any, key: str) -> Any:
    """Returns the value of a dotted key, as a configuration file has it."""
    value = get_setting(config, key)
    return list(value) if isinstance(value, tuple) else value


def change(config: Any, key: str, value: Any) -> Any:
    """Returns a configuration with another value of a setting.

    Raises:
        UserError: the value does not go with the others.
    """
    values = to_dict(config)
    *path, name = key.split(".")
    section = values
    for part in path:
        section = section.setdefault(part, {})
    section[name] = value
    changed = from_dict(type(config), values)
    # What has no effect any more gets its default, or it would be refused.
    return from_dict(type(config), to_dict(changed))


def _has_effect(config: Any, setting: Setting) -> bool:
    where = getattr(setting, "where", None)
    if where and _get_plain(config, where[0]) not in where[1]:
        return False
    return setting.key in list_keys(config) and setting.key not in find_unused(config)


def sample(trial: Any, bases: Mapping[str, Any], settings: Iterable[Setting]) -> Any:
    """Returns the configuration of a trial.

    Only settings that have an effect beside the others are drawn.

    Args:
        trial: suggests values.
        bases: the configuration of each kind of model before its settings change.

    Raises:
        UserError: the values do not go together.
    """
    kind = next(iter(bases))
    if len(bases) > 1:
        kind = Choice(KIND, tuple(bases)).suggest(trial)
    config = bases[kind]
    for setting in settings:
        if _has_effect(config, setting):
            config = change(config, setting.key, setting.suggest(trial))
    return config


KIND = "model.kind"


def list_values(config: Any, kinds: Iterable[str], settings: Iterable[Setting]) -> dict[str, Any]:
    """Returns the values of the settings as Optuna stores them, of those that have an effect."""
    values = {KIND: encode(config.model.kind)} if len(list(kinds)) > 1 else {}
    for setting in settings:
        if _has_effect(config, setting):
            value = _get_plain(config, setting.key)
            values[setting.key] = value if isinstance(setting, Range) else encode(value)
    return values


def widen(settings: Iterable[Setting], config: Any) -> tuple[Setting, ...]:
    """Returns the settings with bounds that include the values of a configuration."""
    used: Callable[[Setting], bool] = lambda setting: _has_effect(config, setting)  # noqa: E731
    return tuple(
        setting.include(_get_plain(config, setting.key)) if used(setting) else setting
        for setting in settings
    )
