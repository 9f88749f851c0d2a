"""What a search begins with: its settings, its kinds of model and its folder."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kerasseq import config as configuration
from kerasseq.applications.common.tuning.results import name_figure
from kerasseq.applications.common.tuning.space import KIND, Setting, Space, is_within
from kerasseq.errors import UserError
from kerasseq.printable import escape
from kerasseq.training.files import write_atomically

TRIALS = 20
_BASE = "base.toml"


def select_settings(space: Space, base: Any, fixed: list[str]) -> tuple[list, dict[str, str]]:
    """Returns the settings to search, and those left out, each with the reason."""
    settings, left_out = [], {}
    for setting in space.settings:
        if any(f"{setting.key}.".startswith(f"{name}.") for name in fixed):
            continue
        if base.training.best_by == "loss" and is_within(setting.key, space.units):
            left_out[setting.key] = (
                "losses of other units cannot be compared, as another training.best_by can"
            )
        else:
            settings.append(setting)
    return settings, left_out


def configure_kinds(
    space: Space,
    base: Any,
    configure: Callable,
    named: tuple[Mapping, str | None, list[str], str | None],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the base of each kind of model, and the kinds left out, each with the reason."""
    data, config, overrides, data_dir = named
    bases, left_out = {base.model.kind: base}, {}
    for name in space.kinds:
        if name in bases:
            continue
        if base.training.best_by == "loss" and is_within(KIND, space.units):
            left_out[f"{KIND}={name}"] = (
                "losses of other kinds cannot be compared, as another training.best_by can"
            )
            continue
        try:
            other = configure(data, name, config, overrides, data_dir)
        except UserError as error:
            left_out[f"{KIND}={name}"] = str(error)
            continue
        if other.training.best_by != base.training.best_by:
            left_out[f"{KIND}={name}"] = f"training.best_by is {other.training.best_by} there"
        else:
            bases[name] = replace(other, data=base.data)
    return bases, left_out


def prepare_folder(folder: Path, base: Any, trials: int | None, resume: bool) -> int:
    """Makes the folder of a search or checks that it can go on; returns the number of trials.

    Raises:
        UserError: it holds another search, or other files.
    """
    file, facts = folder / _BASE, folder / "search.json"
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; choose another --output")
    if not file.exists():
        if folder.exists() and set(path.name for path in folder.iterdir()) - {".lock"}:
            raise UserError(f"{folder}: has other files in it; choose another --output")
        folder.mkdir(parents=True, exist_ok=True)
        write_text(facts, json.dumps({"trials": trials or TRIALS}))
        write_text(file, configuration.to_toml(base))
        return trials or TRIALS
    if not resume:
        raise UserError(
            f"{folder}: has a search already; go on with it by --resume, or choose another --output"
        )
    old = configuration.to_dict(configuration.read(type(base), [file]))
    if changes := configuration.list_changes(old, configuration.to_dict(base)):
        raise UserError(
            f"{folder}: has a search with other settings ({'; '.join(changes)}); repeat its own "
            "options, or choose another --output"
        )
    if trials is None:
        return json.loads(facts.read_text())["trials"]
    write_text(facts, json.dumps({"trials": trials}))
    return trials


def write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))


def describe(
    trials: int,
    base: Any,
    bases: Mapping[str, Any],
    settings: Sequence[Setting],
    left_out: Mapping[str, str],
    fixed: Sequence[str],
) -> list[str]:
    """Returns lines on what is searched, and on what is not, with the reasons."""
    by, minutes = base.training.best_by, base.training.max_minutes
    ties = "" if by == "loss" else ", ties by the loss"
    steps, epochs = base.training.max_steps, base.training.epochs
    time = f" of at most {steps} steps" if steps else f" of at most {epochs} epochs"
    time = f" of at most {minutes:g} minutes" if minutes else time
    kinds = [f"{KIND} {', '.join(bases)}"] if len(bases) > 1 else []
    space = "\n        ".join([*kinds, *(one.describe() for one in settings)])
    lines = [
        f"Tune    {trials} trials{time}, by the {name_figure(by)} of validation{ties}",
        f"Space   {space}",
    ]
    if fixed:
        lines.append(f"Fixed   {', '.join(dict.fromkeys(fixed))}")
    for reason in dict.fromkeys(left_out.values()):
        keys = [key for key, why in left_out.items() if why == reason]
        lines.append(f"Not     {', '.join(keys)}: {escape(reason)}")
    return lines
