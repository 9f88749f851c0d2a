"""The demonstration of translation: phrases that two locales word each in its own way."""

from kerasseq.applications.demos.phrases.phrases import write_phrases
from kerasseq.data import ListCorpus
from kerasseq.errors import UserError

NAME = "phrases of the Unicode CLDR"
LICENCE = "Unicode-3.0"


def make_corpora(
    source: str = "en",
    target: str = "de",
    seed: int = 0,
    train: int = 40_000,
    valid: int = 1_000,
    test: int = 1_000,
) -> dict[str, ListCorpus]:
    """Returns parallel phrases of two CLDR locales, in the parts "train", "valid" and "test".

    ("on Tuesday, March 3, 2026 at 5:14 PM", "am Dienstag, 3. März 2026 um 17:14") is one. Each
    source has one target, which follows from the source alone. No value in the test part, be it a
    date, a time, an amount, a duration or a set of names, is in the training part in any format;
    `kerasseq.applications.demos.phrases.phrases` says what is held out.

    Args:
        source, target: the codes of the locales.
        seed: of the draw.
        train, valid, test: the number of phrases in each part.

    Raises:
        UserError: a locale is unknown, both are the same, or they share too few words.

    Example:

    >>> from kerasseq.applications.demos.phrases.corpus import make_corpora
    >>> corpora = make_corpora("en", "de", train=3_000, valid=20, test=20)
    >>> [len(list(part)) for part in corpora.values()]
    [20, 20, 3000]
    """
    if source == target:
        raise UserError(f"the source and the target locale are both {source!r}; choose two")
    parts = write_phrases((source, target), seed, train, valid, test)
    return {part: ListCorpus(pairs, part) for part, pairs in parts.items()}
