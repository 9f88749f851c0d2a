"""Checks of the arguments of layers against their annotations.

A constructor `__init__(self, units: Size, dropout: Fraction = 0.0)` with the decorator `@checked`
refuses `units=0` in one sentence. The fields of a dataclass with the base `Checked` are checked in
the same way.
"""

import dataclasses
import functools
import inspect
import math
import numbers
import reprlib
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from kerasseq.errors import OptionError, UserError
from kerasseq.special_ids import SPECIAL_IDS


class Rule(NamedTuple):
    """A rule for values: its description, and a function that tells whether a value meets it."""

    says: str
    holds: Callable[[Any], bool]


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Returns whether a value is a finite number that a float can hold."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_name(value: Any) -> bool:
    """Returns whether a value can be in a `Literal`. True cannot, though it equals 1."""
    return isinstance(value, str) or _is_whole(value)


def _is_activation(value: Any) -> bool:
    import keras  # here, since it takes seconds, and settings need it not

    try:
        return isinstance(value, str) and callable(keras.activations.get(value))
    except ValueError:
        return False


def _is_encoder(value: Any) -> bool:
    import keras

    called = getattr(value, "call", None)
    return isinstance(value, keras.layers.Layer) and "mask" in inspect.signature(called).parameters


# The rules of types without an annotation of their own.
_PLAIN = {
    type(None): Rule("None", lambda value: value is None),
    bool: Rule("True or False", lambda value: isinstance(value, bool | np.bool_)),
    float: Rule("a number", is_number),
    str: Rule("a string", lambda value: isinstance(value, str)),
}


def whole(least: int, most: int) -> Rule:
    """Returns the rule of a whole number within bounds that keep memory and time in bounds."""
    says = f"a whole number from {least:,} to {most:,}"
    return Rule(says, lambda n: _is_whole(n) and least <= n <= most)


def number(least: float, most: float) -> Rule:
    """Returns the rule of a number within bounds."""
    return Rule(
        f"a number from {least:g} to {most:g}", lambda x: is_number(x) and least <= x <= most
    )


Size = Annotated[int, Rule("a whole number of at least 1", lambda n: _is_whole(n) and n >= 1)]
Count = Annotated[int, Rule("a whole number of at least 0", lambda n: _is_whole(n) and n >= 0)]
OddSize = Annotated[
    int, Rule("an odd number of at least 1", lambda n: _is_whole(n) and n > 0 and n % 2)
]
Fraction = Annotated[
    float, Rule("a number of at least 0 and below 1", lambda x: is_number(x) and 0 <= x < 1)
]
Share = Annotated[float, Rule("a number from 0 to 1", lambda x: is_number(x) and 0 <= x <= 1)]
Positive = Annotated[float, Rule("a number above 0", lambda x: is_number(x) and x > 0)]
Amount = Annotated[float, Rule("a number of at least 0", lambda x: is_number(x) and x >= 0)]
VocabularySize = Annotated[
    int,
    Rule(
        f"a whole number above {SPECIAL_IDS}, since ids 0 to {SPECIAL_IDS - 1} are special",
        lambda n: _is_whole(n) and n > SPECIAL_IDS,
    ),
]
# The weight of a log-probability: 0 leaves it out, and float32 cannot hold the extremes.
Weight = Annotated[
    float,
    Rule(
        "0 or a number from 0.000001 to 1,000",
        lambda x: is_number(x) and (x == 0 or 1e-6 <= x <= 1e3),
    ),
]
WeightShare = Annotated[
    float,
    Rule(
        "0, 1 or a number from 0.000001 to 0.999999",
        lambda x: is_number(x) and (x in (0, 1) or 1e-6 <= x <= 1 - 1e-6),
    ),
]
Seed = Annotated[int, whole(0, 2**32 - 1)]
Rate = Annotated[int, whole(100, 384_000)]  # samples a second
Seconds = Annotated[float, number(0.1, 86_400)]  # of a recording
Bands = Annotated[int, whole(1, 1_000)]  # of frequencies
Extent = Annotated[float, number(0, 0.499)]  # of a change of the vocal tract
Speeds = tuple[Annotated[float, number(0.5, 2)], ...]  # of which one is drawn for a recording
MOST_ORDER = 32
Order = Annotated[int, whole(1, MOST_ORDER)]  # of an n-gram model
Activation = Annotated[str, Rule("the name of one of Keras's activations", _is_activation)]
Encoder = Annotated[
    Any,
    Rule("a layer that is called with values and a mask, as encoders are", _is_encoder),
]


def check_option(name: str, value: Any, kind: Any) -> None:
    """Checks that an option meets the rule of an annotation, for example `Size` or `float`.

    Raises:
        OptionError: it does not.
    """
    rule = _rule(kind)
    if not rule.holds(value):
        raise OptionError(name, f"must be {rule.says}, not {abbreviate(value)}")


class Checked:
    """Base of frozen dataclasses of settings, which checks the fields against their annotations.

    Raises:
        OptionError: a field does not meet its annotation.
    """

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self), include_extras=True)
        for field in dataclasses.fields(self):
            check_option(field.name, getattr(self, field.name), hints[field.name])


def checked(init: Callable) -> Callable:
    """Decorates a constructor so that it first checks its arguments against their annotations.

    An annotation is one of the names above, bool, a `Literal`, a class, or a tuple or a union of
    these. `Any` allows everything.

    Raises:
        UserError: an argument does not meet its annotation.
    """
    signature = inspect.signature(init)

    @functools.cache
    def rules() -> dict[str, Rule]:
        hints = typing.get_type_hints(init, include_extras=True)
        return {name: _rule(hint) for name, hint in hints.items() if name in signature.parameters}

    @functools.wraps(init)
    def checking(self: Any, *args: Any, **kwargs: Any) -> None:
        for name, value in signature.bind_partial(self, *args, **kwargs).arguments.items():
            rule = rules().get(name)
            if rule and not rule.holds(value):
                raise UserError(
                    f"{type(self).__name__}: {name} must be {rule.says}, not {abbreviate(value)}."
                )
        init(self, *args, **kwargs)

    checking.__signature__ = signature
    return checking


def abbreviate(value: Any) -> str:
    """Returns a value as one short line, for an error."""
    return " ".join(reprlib.repr(value).split())


def require_width(layer: Any, shape: Any) -> int:
    """Returns D of the vectors (N, S, D) for which a layer is built.

    Raises:
        UserError: the shape is no shape of vectors, or D is unknown.
    """
    if shape is None or len(shape) < 2 or not shape[-1]:
        raise UserError(
            f"{type(layer).__name__} reads vectors (N, S, D) of a known D, but it gets "
            f"{abbreviate(shape)}: put a layer before it that makes vectors, as TokenEmbedding and "
            "LogMel do."
        )
    return shape[-1]


def _rule(hint: Any) -> Rule:
    """Returns the rule of an annotation."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return Rule("anything", lambda value: True)
    if origin is Annotated:
        return parts[1]
    if origin is Literal:
        choices = " or ".join(map(repr, parts))
        return Rule(choices, lambda value: _is_name(value) and value in parts)
    if origin in (typing.Union, types.UnionType):
        rules = [_rule(part) for part in parts]
        says = " or ".join(rule.says for rule in rules)
        return Rule(says, lambda value: any(rule.holds(value) for rule in rules))
    if origin in (list, tuple):
        return _rule_of_list(parts[0], 2 if parts[1:] == parts[:1] else None)
    if hint in _PLAIN:
        return _PLAIN[hint]
    kind = origin or hint
    return Rule(f"of the class {kind.__name__}", lambda value: isinstance(value, kind))


def _rule_of_list(hint: Any, count: int | None) -> Rule:
    """Returns the rule of a list or tuple, of `count` items, or of one or more."""
    rule = _rule(hint)

    def holds(values: Any) -> bool:
        if not isinstance(values, list | tuple) or len(values) not in (count or len(values), 0):
            return False
        return len(values) > 0 and all(map(rule.holds, values))

    return Rule(f"a list of {count or 'one or more'}, each {rule.says}", holds)
