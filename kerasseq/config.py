"""Configuration: frozen dataclasses, read from TOML, overridden by `--set a.b=value`.

A configuration is a frozen dataclass whose fields are `bool`, `int`, `float`, `str`,
`Literal[...]`, `tuple[X, ...]`, `X | None` or another such dataclass. A field may also be a union
of dataclasses that are told apart by a field `kind` of type `Literal`. Every field has a default;
a field that may be None is None by default.

Some settings have an effect only beside others. A dataclass says which of its fields have no effect
by a method `find_unused() -> {field: reason}`; a field may be a dotted key of a nested section. An
unused setting is not written to files.
"""

import dataclasses
import difflib
import functools
import json
import sys
import tomllib
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kerasseq.errors import OptionError, UserError
from kerasseq.toml_file import read_toml

C = TypeVar("C")

_MOST_DEPTH = 20  # of a key, in names with dots between


def read(kind: type[C], files: Iterable[str | Path] = (), overrides: Iterable[str] = ()) -> C:
    """Returns the defaults of a class, changed by each TOML file, then by each override.

    Args:
        kind: a dataclass of settings.
        files: paths of TOML files.
        overrides: texts `a.b=value`. The value is read as TOML; a value that is not TOML is a
            string, so that `model.kind=rnn` needs no quotes.

    Raises:
        UserError: a file cannot be read or is not TOML, or a file or an override has an unknown
            key or a value of another type. The error names the file and line.

    Example:

    >>> from dataclasses import dataclass
    >>> from kerasseq.config import read
    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     units: int = 8
    ...     kind: str = "rnn"
    >>> read(Settings, overrides=["units=16"])
    Settings(units=16, kind='rnn')
    """
    return read_with_origins(kind, files, overrides)[0]


def read_with_origins(
    kind: type[C],
    files: Iterable[str | Path] = (),
    overrides: Iterable[str] = (),
    automatic: Mapping[str, Any] = types.MappingProxyType({}),
) -> tuple[C, dict[str, str]]:
    """Reads a configuration as `read` does, and remembers where its settings are given.

    Args:
        automatic: values by dotted keys, which replace those of files.

    Returns:
        The configuration, and for the dotted key of each setting that is given its place:
        "file:line" or "--set a.b=value". Automatic settings are not given.
    """
    values: dict = {}
    origins: dict[tuple[str, ...], str] = {}
    for file in files:
        table, lines = read_toml(Path(file))
        _merge(values, table, origins, (), lambda key, f=file, n=lines: f"{f}:{n.get(key, 1)}")
    for name, value in automatic.items():
        for key in reversed(name.split(".")):
            value = {key: value}
        _merge(values, value, origins, (), lambda key: "")
    for override in overrides:
        name, equals, text = override.partition("=")
        keys = tuple(name.strip().split("."))
        if not equals or not all(keys):
            raise UserError(f"--set {override}: write it as section.key=value")
        table = _parse_value(text.strip())
        table = table if isinstance(table, dict) else _Override(text.strip())
        for key in reversed(keys):
            table = {key: table}
        _merge(values, table, origins, (), lambda key, o=override: f"--set {o}")
    given = {key: origins[tuple(key.split("."))] for key in flatten(values)}
    return _build(kind, values, (), origins), {key: at for key, at in given.items() if at}


def get_setting(config: object, key: str) -> typing.Any:
    """Returns the value of a dotted key."""
    return functools.reduce(getattr, key.split("."), config)


def find_unused(config: object) -> dict[str, str]:
    """Returns the dotted keys of the settings that have no effect, each with the reason."""
    unused = {}
    for field in dataclasses.fields(config):
        if dataclasses.is_dataclass(value := getattr(config, field.name)):
            unused |= {f"{field.name}.{key}": why for key, why in find_unused(value).items()}
    own = getattr(config, "find_unused", dict)()
    keys = list_keys(config)
    return unused | {
        key: why for name, why in own.items() for key in keys if f"{key}.".startswith(f"{name}.")
    }


def list_keys(config: object) -> list[str]:
    """Returns the dotted keys of all settings that are not None."""
    return list(flatten(_to_plain(config)))


def refuse_unused(config: object, given: Mapping[str, str] | None = None) -> None:
    """Refuses settings that are given but have no effect.

    Args:
        given: the places of the settings that are given, see `read_with_origins`; by default, all
            that differ from their defaults.

    Raises:
        UserError: an unused setting is given, and its value is not the default.
    """
    now, default = (
        flatten(_to_plain(some)) for some in (config, from_dict(type(config), to_dict(config)))
    )
    for key, why in find_unused(config).items():
        if now[key] != default.get(key) and (given is None or key in given):
            origin = f"{given[key]}: " if given else ""
            raise UserError(f"{origin}{key} has no effect: {why}; leave it out")


def from_dict(kind: type[C], values: Mapping) -> C:
    """Returns the configuration that `to_dict` made a dict of.

    Raises:
        UserError: an unknown key, or a value of another type.
    """
    return _build(kind, values, (), {})


def to_dict(config: object) -> dict:
    """Returns a configuration as nested dicts for JSON and TOML.

    Settings that are None or have no effect are left out.
    """
    return _remove(_to_plain(config), find_unused(config))


def to_toml(config: object) -> str:
    """Returns a configuration as TOML, from which `read` makes the same configuration."""

    def lines(table: dict, path: tuple[str, ...]) -> Iterable[str]:
        leaves = {k: v for k, v in table.items() if not isinstance(v, dict)}
        if path and leaves:
            yield f"\n[{'.'.join(path)}]"
        yield from (f"{key} = {_format_value(value)}" for key, value in leaves.items())
        for key, value in table.items():
            if isinstance(value, dict):
                yield from lines(value, (*path, key))

    return "\n".join(lines(to_dict(config), ())).lstrip() + "\n"


def list_changes(old: Mapping, new: Mapping) -> list[str]:
    """Returns the changes between two configurations: "training.epochs is 10, was 20"."""
    old, new = flatten(old), flatten(new)
    changes = []
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            changes.append(f"{key} is not set, was {_format_value(old[key])}")
        elif key not in old:
            changes.append(f"{key} is {_format_value(new[key])}, was not set")
        elif old[key] != new[key]:
            changes.append(f"{key} is {_format_value(new[key])}, was {_format_value(old[key])}")
    return changes


def _to_plain(value):
    if dataclasses.is_dataclass(value):
        fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _to_plain(item) for name, item in fields if item is not None}
    return [_to_plain(item) for item in value] if isinstance(value, tuple) else value


def _remove(table: dict, keys: Collection[str], path: str = "") -> dict:
    """Removes dotted keys from nested dicts, and dicts that become empty."""
    rest = {}
    for key, value in table.items():
        if isinstance(value, dict):
            if inner := _remove(value, keys, f"{path}{key}."):
                rest[key] = inner
        elif path + key not in keys:
            rest[key] = value
    return rest


def _merge(into: dict, table: dict, origins: dict, path: tuple[str, ...], origin) -> None:
    for key, value in table.items():
        here = (*path, key)
        if len(here) > _MOST_DEPTH:
            raise UserError(f"{origin(here)}: the key is nested too deeply")
        origins[here] = origin(here)
        if isinstance(value, dict) and isinstance(into.get(key, {}), dict):
            _merge(into.setdefault(key, {}), value, origins, here, origin)
        else:
            into[key] = value


class _Override(str):
    """The text of an override; the type of the field decides whether it is read as TOML."""


def _parse_value(text: str):
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return str(text)


def _build(kind: type, values: Mapping, path: tuple[str, ...], origins: Mapping):
    names = {field.name for field in dataclasses.fields(kind)}
    hints = {k: hint for k, hint in typing.get_type_hints(kind).items() if k in names}
    for key in values:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=2, cutoff=0.6)
            advice = (
                f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(hints)}"
            )
            raise UserError(
                _locate(origins, (*path, key)) + f"unknown key {'.'.join((*path, key))}; {advice}"
            )
    fields = {k: _convert(hints[k], v, (*path, k), origins) for k, v in values.items()}
    try:
        return kind(**fields)
    except OptionError as error:
        here = (*path, error.name)
        sentence = error.spell(lambda name: ".".join((*path, name)))
        raise UserError(_locate(origins, here) + sentence) from None


def _convert(annotation, value, path: tuple[str, ...], origins: Mapping):
    """Converts a value to the type of an annotation; TOML has no None, and 1 is not 1.0."""
    outer, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if outer in (typing.Union, types.UnionType):
        choices = [choice for choice in inner if choice is not types.NoneType]
        if value is None or (value == "none" and len(choices) < len(inner)):
            return None
        if all(dataclasses.is_dataclass(choice) for choice in choices) and isinstance(
            value, Mapping
        ):
            return _build(_choose(choices, value, path, origins), value, path, origins)
        annotation, outer, inner = (
            choices[0],
            typing.get_origin(choices[0]),
            typing.get_args(choices[0]),
        )
    if isinstance(value, _Override):
        parsed = _parse_value(value)
        value = str(value) if annotation is str and not isinstance(parsed, str) else parsed
    if dataclasses.is_dataclass(annotation) and isinstance(value, Mapping):
        return _build(annotation, value, path, origins)
    if (
        outer is typing.Literal
        and value in inner
        and type(value) is type(inner[inner.index(value)])
    ):
        return value
    if outer is tuple and isinstance(value, list | tuple):
        return tuple(_convert(inner[0], item, path, origins) for item in value)
    if annotation is float and type(value) is int and abs(value) < sys.float_info.max:
        return float(value)
    if isinstance(annotation, type) and type(value) is annotation:
        return value
    if outer is typing.Literal:
        wanted = "one of " + ", ".join(map(str, inner))
    elif dataclasses.is_dataclass(annotation):
        wanted = f"a table with {', '.join(f.name for f in dataclasses.fields(annotation))}"
    else:
        names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        wanted = names.get(
            annotation, f"a list, as [{_EXAMPLES[inner[0]]}]" if outer is tuple else str(annotation)
        )
    name = ".".join(path)
    raise UserError(_locate(origins, path) + f"{name} must be {wanted}, not {_format_value(value)}")


def _choose(choices: list[type], values: Mapping, path: tuple[str, ...], origins: Mapping) -> type:
    kinds = {kind: c for c in choices for kind in typing.get_args(typing.get_type_hints(c)["kind"])}
    kind = values.get("kind", next(iter(kinds)))
    if kind not in kinds:
        name = ".".join((*path, "kind"))
        raise UserError(
            _locate(origins, (*path, "kind"))
            + f"{name} must be one of {', '.join(kinds)}, not {_format_value(kind)}"
        )
    return kinds[kind]


def _locate(origins: Mapping, path: tuple[str, ...]) -> str:
    return f"{origins[path]}: " if path in origins else ""


_EXAMPLES = {str: '"a", "b"', int: "1, 2", float: "0.5, 1.0"}


def _format_value(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise UserError(f"{value!a} is not UTF-8, as a configuration has to be: rename it")
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_format_value, value))}]"
    return repr(value)


def flatten(values: Mapping, path: str = "") -> dict:
    """Returns the values of nested dicts by dotted keys."""
    flat = {}
    for key, value in values.items():
        flat |= (
            flatten(value, f"{path}{key}.") if isinstance(value, Mapping) else {path + key: value}
        )
    return flat
