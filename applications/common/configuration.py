"""From the settings that come with a head, files and overrides to the configuration of a run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from kerasseq.applications.common.starting import check_brought
from kerasseq.config import from_dict, read_with_origins, refuse_unused, to_dict
from kerasseq.errors import OptionError, UserError

C = TypeVar("C")

# Settings of the section `data` that name what to train on.
_NAMES = ("dataset", "train", "valid", "test")


def configure(
    kind: type[C],
    folder: Path,
    data: Mapping[str, Any],
    model: str | None,
    config: str | None,
    overrides: Iterable[str],
    default: str,
    reads: str,
    embedded: str = "phrases",
    *,
    brought: Callable[[C, Any], Mapping[str, Any]] = lambda settings, start: {},
) -> C:
    """The configuration of a run: that of the model, changed by `config`, `overrides`, `data`.

    A setting that has no effect has its default in it.

    Args:
        kind: a frozen dataclass with the sections `data`, `model` and `training`.
        folder: the configurations that come with the head.
        data: fields of the section `data` that are set. Training files or a data set in it, or
            else in `overrides`, replace all data that a file names. Without files and without a
            data set, a model or a configuration the settings are those of the embedded default.
        model: a kind of model, whose settings come with the head; by default `default`, unless
            `config` names another.
        config: a TOML file, or the name of a configuration that comes with the head.
        overrides: texts "section.key=value".
        reads: what the head's models read.
        embedded: the configuration of the embedded default.
        brought: settings that a model to start from brings with it, as far as it tells; see
            `check_brought`.

    Raises:
        UserError: a file cannot be read; a setting is unknown, of another type or without effect;
            or the model to start from has another.
    """
    overrides = list(overrides)
    named = ("data.train=", "data.dataset=")
    if not data.get("train") and not data.get("dataset") and not _any_begins(overrides, named):
        default = embedded
    names = [name for name in (model, config) if name]
    files = [_file(folder, name) for name in names or [default]]
    settings, origins = read_with_origins(kind, files, overrides)
    settings = replace(settings, data=_data(settings.data, data, origins))
    origins |= {f"data.{name}": f"--{name.replace('_', '-')}" for name in data}
    if settings.training.start_from:
        if model:
            raise UserError("A model to start from brings its own kind: leave out --model.")
        given = origins if names else _without_files(origins, files)
        check_brought(settings, given, reads, lambda start: brought(settings, start))
    elif model and settings.model.kind != model:
        raise UserError(
            f"--model {model}, but the configuration's model is a {settings.model.kind}: "
            "leave out one of them."
        )
    else:
        own = [file for file in files if file.parent == folder]
        refuse_unused(settings, _without_files(origins, own))
    return from_dict(kind, to_dict(settings))


def _data(section: Any, data: Mapping[str, Any], origins: Mapping[str, str]) -> Any:
    """The section `data`; what names data on the command line replaces all that a file names."""
    by_hand = {name for name in _NAMES if origins.get(f"data.{name}", "").startswith("--set")}
    by_hand |= set(data)
    changes: dict[str, Any] = {}
    if by_hand & {"train", "dataset"}:
        changes = {
            field.name: field.default
            for field in fields(section)
            if field.name in _NAMES and field.name not in by_hand
        }
    changes |= {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    try:
        return replace(section, **changes)
    except OptionError as error:
        raise UserError(error.spelt("--{}".format)) from None


def _without_files(origins: Mapping[str, str], files: Iterable[Path]) -> dict[str, str]:
    """The settings that are given elsewhere than in these files."""
    places = tuple(f"{file}:" for file in files)
    return {key: place for key, place in origins.items() if not place.startswith(places)}


def _any_begins(texts: Iterable[str], beginnings: tuple[str, ...]) -> bool:
    return any(text.replace(" ", "").startswith(beginnings) for text in texts)


def _file(folder: Path, name: str) -> Path:
    path = Path(name)
    if path.suffix == ".toml":
        return path
    path = folder / f"{name}.toml"
    if not path.exists():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise UserError(f"There is no configuration {name!r}. There are: {names}.")
    return path
