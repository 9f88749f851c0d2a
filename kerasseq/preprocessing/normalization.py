"""Named steps from a written text to one that a model reads or writes."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from kerasseq.errors import UserError


def _punctuation(text: str) -> str:
    """Marks and signs (categories P and S) to spaces, but for an apostrophe within a word."""
    within = {found.start() for found in re.finditer(r"(?<=[^\W_])['’ʼ](?=[^\W_])", text)}
    return "".join(
        "'" if place in within else " " if unicodedata.category(sign)[0] in "PS" else sign
        for place, sign in enumerate(text)
    )


def _accents(text: str) -> str:
    """Letters without their accents: é as e."""
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


STEPS: dict[str, Callable[[str], str]] = {
    # Unicode NFKC: one form for what looks alike, ligatures and wide letters taken apart.
    "nfkc": lambda text: unicodedata.normalize("NFKC", text),
    "lower": str.lower,
    # Notes on what is no speech: <noise>, [laughter], </s>.
    "notes": lambda text: re.sub(r"<[^<>]*>|\[[^\[\]]*\]", " ", text),
    "punctuation": _punctuation,
    "accents": _accents,
    # Every run of white space to one space, none at the ends.
    "spaces": lambda text: " ".join(text.split()),
}
"""The steps by name. Saved models name them: what a step does never changes."""

SPOKEN = ("nfkc", "notes", "lower", "punctuation", "spaces")
"""The steps that suit transcripts of speech: what is written but not said goes."""


CAPTION = ("nfkc", "lower", "punctuation", "spaces")
"""The steps that suit captions: words alone count."""


def check_steps(steps: Iterable[str]) -> tuple[str, ...]:
    """The steps as a tuple.

    Raises:
        UserError: if there is none of a name.
    """
    steps = tuple(steps)
    for step in steps:
        if step not in STEPS:
            raise UserError(
                f"There is no step {step!r} of text normalisation; there are {', '.join(STEPS)}."
            )
    return steps


def normalized(texts: Sequence[str], steps: Sequence[str]) -> list[str]:
    """Each text after all steps, in their order."""
    texts = list(texts)
    for step in steps:
        texts = list(map(STEPS[step], texts))
    return texts
