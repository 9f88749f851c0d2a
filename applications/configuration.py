"""From the settings that come with a head, files and overrides to the configuration of a run."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from kerasseq.config import read
from kerasseq.errors import UserError

C = TypeVar("C")


def configure(
    kind: type[C],
    folder: Path,
    data: Mapping[str, Any],
    model: str | None,
    config: str | None,
    overrides: Iterable[str],
    default: str,
    embedded: str = "phrases",
) -> C:
    """The configuration of a run: that of the model, changed by `config`, `overrides`, `data`.

    Args:
        kind: a frozen dataclass with the sections `data` and `model`.
        folder: the configurations that come with the head.
        data: fields of the section `data` that are set. Without files and without a data set, a
            model or a configuration the settings are those of the embedded default.
        model: a kind of model, whose settings come with the head; by default `default`, unless
            `config` names another.
        embedded: the configuration of the embedded default.
        config: a TOML file, or the name of a configuration that comes with the head.
        overrides: texts "section.key=value".

    Raises:
        UserError: a file cannot be read, or a setting is unknown or of another type.
    """
    if not data.get("train") and not data.get("dataset"):
        default = embedded
    names = [name for name in (model, config) if name]
    files = [_file(folder, name) for name in names or [default]]
    settings = read(kind, files, overrides)
    if model and settings.model.kind != model:
        raise UserError(
            f"--model {model}, but the configuration's model is a {settings.model.kind}: "
            "leave out one of them."
        )
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return replace(settings, data=replace(settings.data, **changes))


def _file(folder: Path, name: str) -> Path:
    path = Path(name)
    if path.suffix == ".toml":
        return path
    path = folder / f"{name}.toml"
    if not path.exists():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise UserError(f"There is no configuration {name!r}. There are: {names}.")
    return path
