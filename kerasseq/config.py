"""Configuration: frozen dataclasses, read from TOML, overridden by `--set a.b=value`.

A configuration is a frozen dataclass whose fields are `bool`, `int`, `float`, `str`,
`Literal[...]`, `tuple[X, ...]`, `X | None` or another such dataclass. A field may also be a union
of dataclasses that are told apart by a field `kind` of type `Literal`. Every field has a default;
a field that may be None is None by default.

Some settings have an effect only beside others. A dataclass tells which of its fields have none
by a method `idle() -> {field: why}`; a field may be a dotted key of a section within. A setting
that is idle is written to no file.
"""

import dataclasses
import difflib
import json
import re
import sys
import tomllib
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from kerasseq.errors import OptionError, UserError

C = TypeVar("C")

_MOST_DEPTH = 20  # of a key, in names with dots between


def read(kind: type[C], files: Iterable[str | Path] = (), overrides: Iterable[str] = ()) -> C:
    """The defaults of class `kind`, changed by each TOML file, then by each override `a.b=value`.

    An override's value is read as TOML; what is not TOML is a string, so that `model.kind=rnn`
    needs no quotes.

    Raises:
        UserError: a file that cannot be read, is not TOML, or has an unknown key or a value of
            another type, with file and line; an override with such a fault.
    """
    return read_given(kind, files, overrides)[0]


def read_given(
    kind: type[C], files: Iterable[str | Path] = (), overrides: Iterable[str] = ()
) -> tuple[C, dict[str, str]]:
    """As `read`; and where each setting that is not a default is given: dotted key to "file:line"
    or "--set a.b=value"."""
    values: dict = {}
    origins: dict[tuple[str, ...], str] = {}
    for file in files:
        table, lines = _read_toml(Path(file))
        _merge(values, table, origins, (), lambda key, f=file, n=lines: f"{f}:{n.get(key, 1)}")
    for override in overrides:
        name, equals, text = override.partition("=")
        keys = tuple(name.strip().split("."))
        if not equals or not all(keys):
            raise UserError(f"--set {override}: write it as section.key=value")
        table = _value(text.strip())
        table = table if isinstance(table, dict) else _Override(text.strip())
        for key in reversed(keys):
            table = {key: table}
        _merge(values, table, origins, (), lambda key, o=override: f"--set {o}")
    given = {key: origins[tuple(key.split("."))] for key in _flat(values)}
    return _build(kind, values, (), origins), given


def idle(config: object) -> dict[str, str]:
    """The settings that have no effect beside the others: dotted key to the reason."""
    found = {}
    for field in dataclasses.fields(config):
        if dataclasses.is_dataclass(value := getattr(config, field.name)):
            found |= {f"{field.name}.{key}": why for key, why in idle(value).items()}
    own = getattr(config, "idle", dict)()
    keys = keys_of(config)
    return found | {
        key: why for name, why in own.items() for key in keys if f"{key}.".startswith(f"{name}.")
    }


def keys_of(config: object) -> list[str]:
    """The dotted keys of all settings that are not None."""
    return list(_flat(_plain(config)))


def refuse_idle(config: object, given: Mapping[str, str] | None = None) -> None:
    """That no setting is given that has no effect beside the others.

    Args:
        given: where settings are given, as `read_given` says; None takes what is no default.

    Raises:
        UserError: one is, with another value than its default.
    """
    now, usual = (
        _flat(_plain(some)) for some in (config, from_dict(type(config), as_dict(config)))
    )
    for key, why in idle(config).items():
        if now[key] != usual.get(key) and (given is None or key in given):
            origin = f"{given[key]}: " if given else ""
            raise UserError(f"{origin}{key} has no effect: {why}; leave it out")


def from_dict(kind: type[C], values: Mapping) -> C:
    """The inverse of `as_dict`.

    Raises:
        UserError: an unknown key, or a value of another type.
    """
    return _build(kind, values, (), {})


def as_dict(config: object) -> dict:
    """The configuration as nested dicts that JSON and TOML can hold, without what is None or has
    no effect."""
    return _without(_plain(config), idle(config))


def to_toml(config: object) -> str:
    """The configuration as TOML text that `read` gives back unchanged."""

    def lines(table: dict, path: tuple[str, ...]) -> Iterable[str]:
        leaves = {k: v for k, v in table.items() if not isinstance(v, dict)}
        if path and leaves:
            yield f"\n[{'.'.join(path)}]"
        yield from (f"{key} = {_literal(value)}" for key, value in leaves.items())
        for key, value in table.items():
            if isinstance(value, dict):
                yield from lines(value, (*path, key))

    return "\n".join(lines(as_dict(config), ())).lstrip() + "\n"


def differences(old: Mapping, new: Mapping) -> list[str]:
    """What differs between two configurations as dicts: `training.epochs is 10, was 20`."""
    old, new = _flat(old), _flat(new)
    found = []
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            found.append(f"{key} is not set, was {_literal(old[key])}")
        elif key not in old:
            found.append(f"{key} is {_literal(new[key])}, was not set")
        elif old[key] != new[key]:
            found.append(f"{key} is {_literal(new[key])}, was {_literal(old[key])}")
    return found


def _plain(value):
    if dataclasses.is_dataclass(value):
        fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(item) for name, item in fields if item is not None}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _without(table: dict, keys: Collection[str], path: str = "") -> dict:
    """Nested dicts without some dotted keys, and without dicts that lose all they had."""
    kept = {}
    for key, value in table.items():
        if isinstance(value, dict):
            if left := _without(value, keys, f"{path}{key}."):
                kept[key] = left
        elif path + key not in keys:
            kept[key] = value
    return kept


def _read_toml(file: Path) -> tuple[dict, dict[tuple[str, ...], int]]:
    if file.exists() and not file.is_file():
        raise UserError(f"{file}: cannot read the configuration: it is no file")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UserError(f"{file}: cannot read the configuration: {reason}") from None
    try:
        return tomllib.loads(text), _lines(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = at.group(1) if at else len(text.splitlines())
        reason = str(error)[: at.start()] if at else str(error)
        raise UserError(f"{file}:{line}: not valid TOML: {reason}") from None
    except (ValueError, RecursionError):
        raise UserError(
            f"{file}: cannot read the configuration: a number has too many digits, or lists are "
            "too deep"
        ) from None


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each key and table; tomllib keeps no positions."""
    section, found = (), {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.\- ]+?)\s*\]", line):
            section = tuple(part.strip() for part in header.group(1).split("."))
            found.setdefault(section, number)
        elif key := re.match(r"\s*([\w.\-]+)\s*=", line):
            found.setdefault((*section, *key.group(1).split(".")), number)
    return found


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
    """An override's text; the field's type says whether to read it as TOML."""


def _value(text: str):
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
                _at(origins, (*path, key)) + f"unknown key {'.'.join((*path, key))}; {advice}"
            )
    fields = {k: _typed(hints[k], v, (*path, k), origins) for k, v in values.items()}
    try:
        return kind(**fields)
    except OptionError as error:
        here = (*path, error.name)
        sentence = error.spelt(lambda name: ".".join((*path, name)))
        raise UserError(_at(origins, here) + sentence) from None


def _typed(annotation, value, path: tuple[str, ...], origins: Mapping):
    """`value` as `annotation` has it; TOML tells 1 from 1.0 and has no None."""
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
        parsed = _value(value)
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
        return tuple(_typed(inner[0], item, path, origins) for item in value)
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
    raise UserError(_at(origins, path) + f"{name} must be {wanted}, not {_literal(value)}")


def _choose(choices: list[type], values: Mapping, path: tuple[str, ...], origins: Mapping) -> type:
    kinds = {kind: c for c in choices for kind in typing.get_args(typing.get_type_hints(c)["kind"])}
    kind = values.get("kind", next(iter(kinds)))
    if kind not in kinds:
        name = ".".join((*path, "kind"))
        raise UserError(
            _at(origins, (*path, "kind"))
            + f"{name} must be one of {', '.join(kinds)}, not {_literal(kind)}"
        )
    return kinds[kind]


def _at(origins: Mapping, path: tuple[str, ...]) -> str:
    return f"{origins[path]}: " if path in origins else ""


_EXAMPLES = {str: '"a", "b"', int: "1, 2", float: "0.5, 1.0"}


def _literal(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise UserError(f"{value!a} is not UTF-8, as a configuration has to be: rename it")
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)


def _flat(values: Mapping, path: str = "") -> dict:
    flat = {}
    for key, value in values.items():
        flat |= _flat(value, f"{path}{key}.") if isinstance(value, Mapping) else {path + key: value}
    return flat
