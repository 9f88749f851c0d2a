"""Chooses the settings that nobody gave from what the training data are: `--config auto`."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from kerasseq.applications.common.rules import RULES
from kerasseq.config import flatten
from kerasseq.data.facts import Survey


class Automatic(NamedTuple):
    """Settings that rules chose.

    Attributes:
        settings: the values by dotted keys.
        lines: what a run says of them: what is chosen, and why.
    """

    settings: dict[str, Any]
    lines: list[str]


FindUnused = Callable[[Mapping[str, Any]], Collection[str]]
"""Returns the settings that have no effect where some are chosen."""


def choose(facts: Survey, given: Mapping[str, Any], find_unused: FindUnused) -> Automatic:
    """Chooses settings by the rules of `rules.py`, in their order.

    A rule sees what is given and what the rules before it chose. A setting that is given is never
    changed. If the kind of a section is given, the rules choose nothing in that section. Nor do
    they choose what has no effect.

    Args:
        facts: the survey of the training part.
        given: the values of the settings that the user gave, by dotted keys.
        find_unused: returns the settings that have no effect beside these and some chosen ones.
    """
    settings: dict[str, Any] = {}
    lines = []
    for rule in RULES[facts.kind]:
        choice = rule(facts, {**settings, **given})
        free = {key: value for key, value in choice.settings.items() if _is_free(key, given)}
        unused = find_unused(settings | free)
        new = {key: value for key, value in free.items() if key not in unused}
        settings |= new
        if new:
            lines.append(choice.text)
    return Automatic(settings, lines)


def keep(
    settings: Mapping[str, Any], given: Mapping[str, Any], find_unused: FindUnused
) -> Automatic:
    """Keeps the settings of a run that goes on, where `choose` would choose them.

    Args:
        settings: the configuration of the run, as nested dicts.
        given, find_unused: as in `choose`.
    """
    kept = {
        key: value
        for key, value in flatten(settings).items()
        if not key.startswith("data.") and _is_free(key, given)
    }
    unused = find_unused(kept)
    return Automatic({key: value for key, value in kept.items() if key not in unused}, [])


def _is_free(key: str, given: Mapping[str, Any]) -> bool:
    if key == "training.ema" and given.get("training.average_last"):
        return False  # one average excludes the other
    parts = key.split(".")
    parents = [".".join(parts[:count]) for count in range(1, len(parts))]
    return key not in given and not any(
        f"{parent}.kind" in given for parent in parents if parent != "tokenizer"
    )


def without_start(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings without the model to start from; nothing if there is none in them."""
    if "training.start_from" not in settings:
        return {}
    return {key: value for key, value in settings.items() if key != "training.start_from"}
