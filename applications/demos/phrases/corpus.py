"""The embedded default: phrases that two locales word each in its own way."""

from kerasseq.applications.demos.phrases.phrases import phrases
from kerasseq.errors import UserError

Pair = tuple[str, str]


def corpus(
    source: str = "en",
    target: str = "de",
    seed: int = 0,
    train: int = 40_000,
    valid: int = 1_000,
    test: int = 1_000,
) -> dict[str, list[Pair]]:
    """Parallel phrases of two CLDR locales, in the parts "train", "valid" and "test".

    ("on Tuesday, March 3, 2026 at 5:14 PM", "am Dienstag, 3. März 2026 um 17:14") is one. Each
    source has one target, which follows from the source alone. No value that the test part says,
    be it a date, a time, an amount, a duration or a set of names, is said in the training part in
    any format; `kerasseq.applications.demos.phrases` tells exactly what is held out.

    Raises:
        UserError: a locale is unknown, both are the same, or they share too few words.
    """
    if source == target:
        raise UserError(f"the source and the target locale are both {source!r}; choose two")
    return phrases((source, target), seed, train, valid, test)
