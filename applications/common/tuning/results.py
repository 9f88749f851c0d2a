"""The table and the picture of a search."""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasseq.applications.common.tuning.study import Row
from kerasseq.drawing.curves import SCORES
from kerasseq.drawing.trials import Trial, draw_trials
from kerasseq.training.files import write_atomically


def name_figure(by: str) -> str:
    """Returns the name of the figure that is compared."""
    return SCORES.get(by, by).removesuffix(" (%)")


def show_table(rows: Sequence[Row], best: Row | None, by: str) -> str:
    """Returns the trials as a text, the best first, with the settings that differ from the base."""
    figures = [by] if by == "loss" else [by, "loss"]
    base = next((row.values for row in rows if row.is_base and row.values), {})
    lines = [["trial", "state", *figures, "seconds", "settings"]]
    for row in _sort(rows, by, best):
        changes = [
            f"{key}={_format(value)}" for key, value in row.values.items() if base.get(key) != value
        ]
        lines.append(
            [
                f"{row.number}{'*' * bool(best and best.number == row.number)}",
                row.state,
                *(_format(row.results.get(figure), 4) for figure in figures),
                f"{row.seconds:.0f}",
                "as they were" if row.is_base else " ".join(changes),
            ]
        )
    columns = list(zip(*lines, strict=True))
    widths = [*(max(map(len, column)) for column in columns[:-1]), 0]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def write_table(folder: Path, rows: Sequence[Row], best: Row | None, by: str) -> None:
    """Writes `trials.txt` and `trials.tsv`."""
    text = io.StringIO()
    columns = _list_settings(rows)
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    figures = sorted({name for row in rows for name in row.results} - {"step", "epoch"})
    writer.writerow(["trial", "state", *figures, "steps", "seconds", *columns, "error"])
    for row in rows:
        values = [row.results.get(name, "") for name in figures]
        settings = [json.dumps(row.values[key]) if key in row.values else "" for key in columns]
        cells = [row.number, row.state, *values, row.steps, row.seconds, *settings, row.error]
        writer.writerow(cells)
    for name, content in {
        "trials.tsv": text.getvalue(),
        "trials.txt": show_table(rows, best, by) + "\n",
    }.items():
        write_atomically(folder / name, lambda file, c=content: file.write(c.encode()))


def write_picture(folder: Path, rows: Sequence[Row], best: Row | None, by: str) -> None:
    """Draws `trials.png`, if there are two trials to draw."""
    drawn = [row for row in rows if row.state in ("complete", "pruned") and by in row.results]
    if len(drawn) < 2:
        return
    # A model that repeats itself has an error rate of thousands, beside which nothing is visible.
    most = 100.0 if by == "wer" else float("inf")
    trials = [
        Trial(row.values, min(row.results[by], most), row.state == "complete") for row in drawn
    ]
    place = next((i for i, row in enumerate(drawn) if best and row.number == best.number), None)
    part = folder / "trials.part.png"
    draw_trials(trials, part, name_figure(by), place)
    os.replace(part, folder / "trials.png")


def _sort(rows: Sequence[Row], by: str, best: Row | None) -> list[Row]:
    order = ["complete", "pruned", "running", "failed", "cut off"]
    sign = -1 if by in ("bleu", "cider") else 1

    def key(row: Row) -> tuple:
        value = sign * row.results.get(by, float("inf") * sign)
        is_best = best is not None and row.number == best.number
        return not is_best, order.index(row.state), value, row.results.get("loss", 0.0), row.number

    return sorted(rows, key=key)


def _list_settings(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row.values))


def _format(value: Any, digits: int = 3) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"{len(value)} from {min(value):g} to {max(value):g}" if value else "[]"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
