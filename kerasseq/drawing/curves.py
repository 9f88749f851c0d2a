"""The course of a training, drawn."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def training_curve(rows: Iterable[Mapping], path: str | Path) -> None:
    """Draw losses against steps, and BLEU on a second panel where there is any.

    Args:
        rows: the rows of a run's log: `{"kind": "train" | "valid", "step", "loss", ...}`; a
            validation may have `"bleu"`.
        path: the picture to write; its ending names the format.
    """
    rows = list(rows)
    train = [row for row in rows if row["kind"] == "train"]
    valid = [row for row in rows if row["kind"] == "valid" and "loss" in row]
    scored = [row for row in rows if row["kind"] == "valid" and row.get("bleu") is not None]

    panels = 2 if scored else 1
    figure = Figure(figsize=(7.5, 3.4 * panels), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]

    def line(axis, points, key, label, **style):
        if points:
            axis.plot([p["step"] for p in points], [p[key] for p in points], label=label, **style)

    line(axes[0], train, "loss", "training", color="#7a9cc6", linewidth=1.4)
    line(axes[0], valid, "loss", "validation", color="#b3432b", linewidth=1.8, marker="o", ms=3.5)
    axes[0].set_ylabel("loss (nats a token)")
    if scored:
        line(axes[1], scored, "bleu", "BLEU", color="#3b7d4f", linewidth=1.8, marker="o", ms=3.5)
        best = max(scored, key=lambda row: row["bleu"])
        axes[1].annotate(
            f"{best['bleu']:.1f}",
            (best["step"], best["bleu"]),
            xytext=(0, -14),
            textcoords="offset points",
            ha="center",
            color="#3b7d4f",
        )
        axes[1].set_ylabel("BLEU (validation)")
    for axis in axes:
        axis.grid(color="#e4e4e4", linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_axisbelow(True)
    if train or valid:
        axes[0].legend(frameon=False)
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes[-1].set_xlim(left=0)
    figure.align_ylabels()
    figure.savefig(path, dpi=150)
