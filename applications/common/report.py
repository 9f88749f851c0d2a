"""What every training shows at its end."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from kerasseq.training import Run


def report(
    run: Run,
    title: str,
    examples: Iterable[str],
    scores: Mapping[str, float],
    pictures: Mapping[str, Path],
    commands: Sequence[str],
    say: Callable[[str], None],
) -> None:
    """Says what a model writes, where the files of its run are, and how to go on.

    Args:
        title: says what the examples are.
        examples: the lines of each; see `format_example`.
        scores: those of the test part, if there is one.
        pictures: the names and paths of what was drawn.
        commands: command lines to go on with.
        say: prints a text.
    """
    say(f"\n{title}")
    for example in examples:
        say(example)
    if scores:
        say("Test part   " + "   ".join(f"{name} {value:.2f}" for name, value in scores.items()))
    for advice in run.advice:
        say(f"Advice      {advice}")
    files = {"model": run.model_path, "training curve": run.curves_path, **pictures}
    for name, path in files.items():
        say(f"{name:<15} {path}")
    say("\n  ".join(["\nGo on with", *commands]))


def format_example(text: str, references: Sequence[str], but: str) -> str:
    """Returns the lines of a text that a model wrote, with the first reference if none agrees.

    Args:
        but: stands before the reference.
    """
    return f"  → {text}\n" + ("" if text in references else f"    {but}: {references[0]}\n")


def quote_model(run: Run) -> str:
    """Returns the path of a run's model for a command line."""
    return shlex.quote(str(run.model_path))
