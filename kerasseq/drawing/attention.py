"""Attention maps."""

from typing import Any


def attention_map(source: list, target: list, weights: Any, path: Any) -> None:
    """Draw weights (T, S) as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(2 + 0.3 * len(source), 2 + 0.3 * len(target)))
    axes.imshow(weights, cmap="Blues", vmin=0)
    axes.set_xticks(range(len(source)), source, rotation=90)
    axes.set_yticks(range(len(target)), target)
    figure.savefig(path, bbox_inches="tight")
    pyplot.close(figure)
