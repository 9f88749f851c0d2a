"""Cross-validation: `kerasseq train HEAD --folds K`.

Keras, whose import takes seconds, is imported by the first training.
"""

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasseq.applications.common.configuration import check_run
from kerasseq.applications.common.parts import Parts
from kerasseq.data.splitting import MIN_VALIDATION, holdout, split_into_folds
from kerasseq.errors import UserError
from kerasseq.metrics.intervals import t_interval
from kerasseq.training.files import write_atomically
from kerasseq.training.folder import CONFIG, check_overwriting, compare_configs

_FILE, _ALL = "folds.json", "all"
_OWN = rf"fold-\d+|{_ALL}|{_FILE}(\.part)?"


def cross_validate(
    kind: Any,
    read_parts: Callable[[Any, str | None], Parts],
    whole: Any,
    output: str | Path,
    folds: int,
    resume: bool = False,
    data_dir: str | None = None,
    say: Callable[[str], None] = print,
    overwrite: bool = False,
    parts: Parts | None = None,
) -> Any:
    """Measures a model on each part of the training data, then trains one on all of them.

    The training data are split into folds, so that no speaker is in two of them or, where no
    speakers are known, no file or source text. For each fold a model is trained on the others, and
    measured on it by the code of `evaluate`. The weights are chosen on a validation part that is
    cut off the other folds as `train` cuts it, or on that of the data set or of `valid`. The last
    model is what `train` makes of the same configuration.

    The folder has the runs `fold-1`, `fold-2`, ... and `all`, and the file `folds.json`.

    Args:
        kind: the class of the head.
        read_parts: reads the examples, given the section `data` and the folder of data sets.
        whole: the configuration.
        output: the folder.
        folds: the number of folds.
        resume: go on with the fold that was cut off.
        data_dir: the folder of data sets.
        say: prints a text.
        overwrite: delete the folds in that folder.
        parts: the examples, if they are read already.

    Returns:
        The last model.

    Raises:
        UserError: as `train`; or there are fewer groups than folds.
    """
    folder = Path(output)
    check_folds(whole, folder, folds, resume, data_dir, overwrite)
    parts = parts or read_parts(whole.data, data_dir)
    corpus = parts.train if parts.whole is None else parts.whole
    name, groups, group = _choose_groups(corpus, folds)
    cuts = split_into_folds(corpus, folds, whole.data.seed, group)
    begun = {"folds": folds, "by": name, "groups": groups, "fingerprint": corpus.fingerprint()}
    state = json.loads((folder / _FILE).read_text()) if resume and _has_folds(folder) else {}
    _check_state(folder, state, begun)
    if not state:
        state = begun | {"results": []}
        if overwrite:
            _delete_folds(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, state)
    say(
        f"{folds} folds of {parts.name} by {name} ({groups:,}), and one model on all of it: "
        f"{folds + 1} trainings"
    )
    from kerasseq.applications.common import training

    how = {"data_dir": data_dir, "say": say}
    silent = type(kind.__name__, (kind,), {"report": staticmethod(lambda *arguments: None)})
    for number, (rest, fold) in enumerate(cuts, 1):
        run = folder / f"fold-{number}"
        if number <= len(state["results"]):
            _check_unchanged(run, whole)
            say(_describe_row(state["results"][number - 1], folds))
            continue
        say(f"\nFold {number} of {folds}")
        some = _cut_validation(parts, rest, fold, whole.data)
        again = resume and run.exists()
        card = training.train(silent, read_parts, whole, run, again, parts=some, **how).card
        row = {"fold": number, kind.examples: sum(1 for _ in fold), "steps": card["steps"]}
        state["results"].append(row | {"validation": card["validation"], "scores": card["test"]})
        state["figures"] = summarize_folds([row["scores"] for row in state["results"]])
        _write(folder, state)
        say(_describe_row(state["results"][-1], folds))
        for name in ("checkpoints", "data"):
            shutil.rmtree(run / name, ignore_errors=True)
    say(_describe_figures(state, kind.examples))
    run = folder / _ALL
    say("\nOne model on all of it")
    again = resume and run.exists()
    return training.train(kind, read_parts, whole, run, again, parts=parts, **how)


def check_folds(
    whole: Any,
    folder: Path,
    folds: int,
    resume: bool = False,
    data_dir: str | None = None,
    overwrite: bool = False,
) -> None:
    """Checks what can be checked of a cross-validation without Keras.

    Raises:
        UserError: as `check_run`; or `folds` is less than 2.
    """
    if folds < 2:
        raise UserError(f"--folds must be at least 2, not {folds}.")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; choose another --output")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    foreign = {name for name in names if not re.fullmatch(_OWN, name)}
    if foreign or (names and not _has_folds(folder)):
        raise UserError(f"{folder}: has other files in it than folds; choose another --output")
    if _has_folds(folder) and not (resume or overwrite):
        raise UserError(
            f"{folder}: has folds already; go on with them by --resume, delete them by "
            "--overwrite, or choose another --output"
        )
    for name in sorted(names - {_ALL}) if overwrite else ():
        if (folder / name / CONFIG).exists():
            check_overwriting(folder / name)
    check_run(whole, folder / _ALL, resume, data_dir, overwrite)


def find_config(output: str | Path) -> str | None:
    """Returns the configuration of the run, or of the folds, in a folder; None without them.

    A run that goes on keeps the settings that were chosen from its data.
    """
    files = (Path(output) / name for name in (CONFIG, f"fold-1/{CONFIG}", f"{_ALL}/{CONFIG}"))
    return next((str(file) for file in files if file.is_file()), None)


def _has_folds(folder: Path) -> bool:
    return (folder / _FILE).exists()


def _delete_folds(folder: Path) -> None:
    for path in folder.glob("fold-*"):
        shutil.rmtree(path)
    shutil.rmtree(folder / _ALL, ignore_errors=True)
    (folder / _FILE).unlink(missing_ok=True)


def _check_state(folder: Path, state: Mapping[str, Any], begun: Mapping[str, Any]) -> None:
    """Checks that folds can go on."""
    if not state:
        return
    if state["folds"] != begun["folds"]:
        raise UserError(
            f"{folder}: has {state['folds']} folds, not {begun['folds']}: repeat --folds "
            f"{state['folds']}, or choose another --output"
        )
    if any(state[key] != begun[key] for key in begun):
        raise UserError(
            f"{folder}: the examples have changed since the folds were cut; restore them, or "
            "choose another --output"
        )


def _check_unchanged(run: Path, whole: Any) -> None:
    if changes := compare_configs(run, whole)[0]:
        raise UserError(
            f"{run}: was trained with other settings ({'; '.join(changes)}); repeat them, or "
            "choose another --output"
        )


def _choose_groups(corpus: Any, folds: int) -> tuple[str, int, Callable[[Any], str]]:
    """Returns what no two folds share: its name, its number, and the function that tells it."""

    def get_speaker(example: Any) -> str:
        return getattr(example, "speaker", "")

    speakers = {get_speaker(example).casefold() for example in corpus} - {""}
    if len(speakers) < 2:
        groups = {corpus.group(example) for example in corpus}
        name = "source text" if corpus.example == "pair" else "file"
        return name, len(groups), corpus.group
    # Whoever spoke a recording without a speaker may be anybody: it is a group of its own.
    alone = {corpus.group(example) for example in corpus if not get_speaker(example)}
    count = len(speakers) + len(alone)
    if count < folds:
        raise UserError(
            f"{count} speakers make no {folds} folds: take at most --folds {count}, since a "
            "speaker in two folds would be measured by a model that knows the voice."
        )
    return "speaker", count, lambda example: get_speaker(example) or corpus.group(example)


def _cut_validation(parts: Parts, rest: Any, fold: Any, data: Any) -> Parts:
    """Returns the parts of a fold's training."""
    valid = parts.valid
    if parts.whole is not None:
        rest, valid = holdout(rest, data.valid_size, data.seed, MIN_VALIDATION)
    return parts._replace(train=rest, valid=valid, test=fold, whole=None)


def summarize_folds(scores: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Returns the mean of each figure over folds, and its 95 % interval if there are two."""
    figures = {}
    for name in scores[0]:
        values = [row[name] for row in scores]
        figures[name] = {"mean": round(sum(values) / len(values), 4)}
        if len(values) > 1:
            low, high = t_interval(values)
            figures[name] |= {"low": round(low, 4), "high": round(high, 4)}
    return figures


def _describe_row(row: Mapping[str, Any], folds: int) -> str:
    scores = "   ".join(f"{name} {value:.2f}" for name, value in row["scores"].items())
    return f"Fold {row['fold']} of {folds}   {scores}"


def _describe_figures(state: Mapping[str, Any], examples: str) -> str:
    lines = ["", f"Mean of {state['folds']} folds by {state['by']}, with its 95 % interval"]
    for name, some in state["figures"].items():
        lines.append(f"  {name:<12} {some['mean']:7.2f}  ({some['low']:.2f} to {some['high']:.2f})")
    lines.append(
        "The interval is of the mean figure of models that are trained on "
        f"{100 - 100 / state['folds']:.0f} % of these {examples} (Student's t over the folds). It "
        "is somewhat too narrow, since the models share most of their data."
    )
    return "\n".join(lines)


def _write(folder: Path, state: Mapping[str, Any]) -> None:
    """Writes `folds.json`, with a line for each fold."""
    rows = ",\n".join(f"    {json.dumps(row)}" for row in state["results"])
    rest = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in state.items() if k != "results"]
    text = ",\n".join([*rest, f'  "results": [\n{rows}\n  ]'])
    write_atomically(folder / _FILE, lambda file: file.write(f"{{\n{text}\n}}\n".encode()))
