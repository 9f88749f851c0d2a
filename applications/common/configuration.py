"""Makes the configuration of a run of settings that come with a head, files and overrides."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from kerasseq.applications.common.auto import (
    Automatic,
    choose,
    keep,
    without_start,
)
from kerasseq.applications.common.settings import BROUGHT
from kerasseq.config import (
    find_unused,
    from_dict,
    get_setting,
    read_with_origins,
    refuse_unused,
    to_dict,
)
from kerasseq.data.facts import survey
from kerasseq.errors import OptionError, UserError
from kerasseq.presets import find_model
from kerasseq.training.folder import check_run_folder

C = TypeVar("C")

AUTO = "auto"
"""The configuration that the rules choose from the data."""

# The settings of the section `data` that name what to train on.
_NAMES = ("dataset", "train", "valid", "test")


class Plan(NamedTuple):
    """A run before it begins.

    Attributes:
        config: the configuration.
        parts: the examples, if the configuration was chosen from them.
        lines: what was chosen from the examples, and why.
    """

    config: Any
    parts: Any = None
    lines: Sequence[str] = ()


def plan(
    kind: type[C],
    folder: Path,
    data: Mapping[str, Any],
    model: str | None = None,
    config: str | None = None,
    overrides: Iterable[str] = (),
    data_dir: str | None = None,
    before: str | Path | None = None,
    *,
    reads: str,
    default: str,
    demo: str,
    read_settings: Callable[[C, Any], Mapping[str, Any]],
    read_parts: Callable[[Any, str | None], Any],
    read_encoder: Callable[[C, Any], dict[str, Any]] | None = None,
) -> Plan:
    """Returns the configuration of a run, with what is known of its data.

    It begins with the settings of a kind of model, which `config`, `overrides` and `data` change in
    this order. A setting that has no effect has its default.

    With the configuration "auto", the default of the command line, the rules of `rules.py` choose
    settings for the training data. They do not change the section of a named model.

    Args:
        kind: a frozen dataclass with the sections `data`, `model` and `training`.
        folder: the configurations that come with the head.
        data: fields of the section `data`. Training files or a data set, in it or else in
            `overrides`, replace all data that a file names.
        model: a kind of model; by default that of `config`, or else `default`.
        config: a TOML file, the name of a configuration that comes with the head, or "auto", which
            without training data is that of the demonstration.
        overrides: texts "section.key=value".
        data_dir: the folder of data sets, for "auto".
        before: the configuration file of a run that goes on: "auto" keeps its settings.
        reads: what the head's models read.
        default: the kind of model if nothing else names one.
        demo: the configuration if nothing names data, a model or a configuration.
        read_settings: returns the settings of a model to start from, given the configuration and
            the model; see `check_start`.
        read_parts: reads the examples, given the section `data` and the folder of data sets.
        read_encoder: returns the settings of a model's encoder; see `adopt_encoder`.

    Raises:
        UserError: a file cannot be read; a setting is unknown, of another type or without effect;
            or the model to start from has another value.

    Example:

    >>> from pathlib import Path
    >>> from kerasseq.applications import translation
    >>> _ = Path("pairs.tsv").write_text("".join(f"{n}\\tno. {n}\\n" for n in range(30)))
    >>> plan = translation.plan({"train": ["pairs.tsv"]}, None, "auto", ["model.units=64"])
    >>> plan.config.model.units, len(plan.lines) > 2
    (64, True)
    """
    overrides = list(overrides)
    named = [override.replace(" ", "") for override in overrides]
    named += [f"data.{name}=" for name, value in data.items() if value]
    if not any(text.startswith(("data.train=", "data.dataset=")) for text in named):
        default, config = demo, None if config == AUTO else config
    names = [name for name in (model, config) if name and name != AUTO]
    if not names and config != AUTO:
        names = [default]
    run = _Run(kind, [_file(folder, name) for name in names], overrides, data, model, read_settings)
    automatic, parts = Automatic({}, []), None
    if config == AUTO:
        automatic, parts = _choose(run, reads, read_parts, data_dir, before)
    settings, origins = run.read(automatic.settings)
    if settings.training.start_from:
        if model:
            raise UserError("A model to start from brings its own kind: leave out --model.")
        files = [] if config or model else run.files  # a file that nobody named claims nothing
        _check_start(run, settings, _without_files(origins, files), reads)
    elif model and settings.model.kind != model:
        raise UserError(
            f"--model {model}, but the configuration's model is a {settings.model.kind}: "
            "leave out one of them."
        )
    else:
        own = [file for file in run.files if file.parent == folder]
        by_user = _without_files(origins, own)
        refuse_unused(settings, by_user)
        if settings.training.encoder_from and read_encoder:
            find_model(settings.training.encoder_from)
            # Here, since it brings Keras, which takes seconds.
            from kerasseq.applications.common.encoders import adopt_encoder

            settings = adopt_encoder(settings, origins, by_user, reads, read_encoder)
    return Plan(from_dict(kind, to_dict(settings)), parts, automatic.lines)


class _Run(NamedTuple):
    """What is given of a run."""

    kind: type
    files: list[Path]
    overrides: list[str]
    data: Mapping[str, Any]
    model: str | None
    read_settings: Callable[[Any, Any], Mapping[str, Any]]

    def read(self, chosen: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
        """Returns the settings, with some that rules chose, and where each was given."""
        settings, origins = read_with_origins(self.kind, self.files, self.overrides, chosen)
        settings = replace(settings, data=_replace_data(settings.data, self.data, origins))
        return settings, origins | {
            f"data.{key}": f"--{key.replace('_', '-')}" for key in self.data
        }


def _choose(
    run: _Run,
    reads: str,
    read_parts: Callable[[Any, str | None], Any],
    data_dir: str | None,
    before: str | Path | None,
) -> tuple[Automatic, Any]:
    """Returns the settings that nobody gave, and the examples that they were chosen from."""
    settings, origins = run.read({})
    given = {key: get_setting(settings, key) for key in _without_files(origins, run.files)}
    if run.model:
        given["model.kind"] = run.model
    elif settings.training.start_from:  # before the data are read
        _check_start(run, settings, _without_files(origins, run.files), reads)

    def find(chosen: Mapping[str, Any]) -> Mapping[str, str]:
        return find_unused(run.read(chosen)[0])

    if before:
        old, parts = to_dict(read_with_origins(run.kind, [before])[0]), None
        automatic = keep(old, given, find)
    else:
        parts = read_parts(settings.data, data_dir)
        automatic = choose(survey(parts.train), given, find)
    if own := without_start(automatic.settings):  # what a start would not check
        settings, origins = run.read(own)
        refuse_unused(settings, _without_files(origins, run.files))
    return automatic, parts


def configure(*args: Any, **options: Any) -> Any:
    """Returns the configuration of a run; the arguments are those of `plan`.

    Example:

    >>> from kerasseq.applications import translation
    >>> config = translation.configure({"train": ["pairs.tsv"]}, "rnn", None, ["model.units=64"])
    >>> config.model.kind, config.model.units
    ('rnn', 64)
    """
    return plan(*args, **options).config


def _check_start(run: _Run, settings: Any, given: Mapping[str, str], reads: str) -> None:
    """Checks that no setting contradicts the model to start from; see `check_start`."""
    of_model = [key for key, why in find_unused(settings).items() if why == BROUGHT]
    refuse_unused(settings, {key: given[key] for key in given if key not in of_model})
    if keys := [key for key in of_model if key in given]:
        find_model(settings.training.start_from)
        # Here, since it brings Keras, which takes seconds.
        from kerasseq.applications.common.starting import check_start

        check_start(settings, given, keys, reads, lambda start: run.read_settings(settings, start))


def _replace_data(section: Any, data: Mapping[str, Any], origins: Mapping[str, str]) -> Any:
    """Returns the section `data`: data that is given by hand replaces all that files name."""
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
        raise UserError(error.spell("--{}".format)) from None


def _without_files(origins: Mapping[str, str], files: Iterable[Path]) -> dict[str, str]:
    """Returns the settings that are given elsewhere than in some files."""
    places = tuple(f"{file}:" for file in files)
    return {key: place for key, place in origins.items() if not place.startswith(places)}


def _file(folder: Path, name: str) -> Path:
    """Returns the path of a configuration."""
    path = Path(name)
    if path.suffix == ".toml":
        return path
    path = folder / f"{name}.toml"
    if not path.exists():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise UserError(f"There is no configuration {name!r}. There are: {names}.")
    return path


def check_run(
    config: Any,
    output: str | Path,
    resume: bool = False,
    data_dir: str | None = None,
    overwrite: bool = False,
) -> bool:
    """Checks what can be checked of a run without Keras, whose import takes seconds.

    Returns:
        Whether a run continues in the folder `output`.

    Raises:
        UserError: a setting has no effect, there is no model to start from, or the folder holds
            another run or other files.
    """
    refuse_unused(config)
    resumed = check_run_folder(output, config, resume, overwrite)
    if data_dir and not config.data.dataset:
        raise UserError("--data-dir is where data sets are: name one with --dataset, or leave it.")
    for name in filter(None, (config.training.start_from, config.training.encoder_from)):
        if find_model(name).resolve().is_relative_to(Path(output).resolve()) and overwrite:
            raise UserError(f"{name}, which the run begins with, is in {output}: leave it there.")
    return resumed
