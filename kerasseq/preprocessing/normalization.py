"""Named steps that normalise a written text for a model."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated

from kerasseq.checks import Rule, abbreviate
from kerasseq.errors import UserError


def _remove_punctuation(text: str) -> str:
    """Marks and signs (categories P and S) to spaces, but for an apostrophe within a word."""
    within = {found.start() for found in re.finditer(r"(?<=[^\W_])['’ʼ](?=[^\W_])", text)}
    return "".join(
        "'" if place in within else " " if unicodedata.category(sign)[0] in "PS" else sign
        for place, sign in enumerate(text)
    )


def _remove_accents(text: str) -> str:
    """Letters without their accents: é as e."""
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


# Control characters that are no white space, and format characters that show nothing. The two
# joiners are none of them: Persian and the scripts of India spell with these, and emoji are put
# together by them. The zero-width space, which parts words, is a space.
_INVISIBLE: dict[int, str | None] = dict.fromkeys(
    [
        *(*range(0x09), *range(0x0E, 0x1C), 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0), 0xAD),
        *(0x061C, 0x180E, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065)),
        *(*range(0x2066, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC)),
    ]
) | {0x200B: " "}

# The rest of emoji whose signs become spaces: variation selectors, keycaps and tags, and
# joiners with nothing beside them. Others are parts of words.
_REMAINS = re.compile("[\ufe00-\ufe0f\u20e3\U000e0020-\U000e007f]|(?<!\\S)[\u200c\u200d]+(?!\\S)")

STEPS: dict[str, Callable[[str], str]] = {
    # Characters that show nothing.
    "invisible": lambda text: text.translate(_INVISIBLE),
    # Unicode NFKC: one form for what looks alike, ligatures and wide letters taken apart.
    "nfkc": lambda text: unicodedata.normalize("NFKC", text),
    "lower": str.lower,
    # Notes on other sounds than speech: <noise>, [laughter], </s>.
    "notes": lambda text: re.sub(r"<[^<>]*>|\[[^\[\]]*\]", " ", text),
    "punctuation": _remove_punctuation,
    "remains": lambda text: _REMAINS.sub("", text),
    "accents": _remove_accents,
    # Every run of white space to one space, none at the ends.
    "spaces": lambda text: " ".join(text.split()),
}
"""The steps by name. Saved models name them: the effect of a step never changes."""

Steps = Annotated[
    tuple[str, ...],
    Rule(
        f"a list of {', '.join(STEPS)}, or some of them",
        lambda names: isinstance(names, list | tuple) and all(name in STEPS for name in names),
    ),
]

TEXT = ("invisible", "nfkc", "spaces")
"""The steps that suit written text: one form for what looks alike."""

SPOKEN = ("invisible", "nfkc", "notes", "lower", "punctuation", "remains", "spaces")
"""The steps that suit transcripts of speech: they drop everything that is written but not said."""

CAPTION = ("invisible", "nfkc", "lower", "punctuation", "remains", "spaces")
"""The steps that suit captions: only words count."""

# Nearly every text is the same after the second round; a few, as "<<a>b>", take more.
_ROUNDS = 8


def check_steps(steps: Iterable[str]) -> tuple[str, ...]:
    """Returns the steps as a tuple.

    Raises:
        UserError: a name is unknown.
    """
    steps = tuple(steps)
    for step in steps:
        if step not in STEPS:
            raise UserError(
                f"There is no step {step!r} of text normalisation; there are {', '.join(STEPS)}."
            )
    return steps


def normalize_texts(
    texts: Iterable[str], steps: Sequence[str], last: Callable[[str], str] = str
) -> list[str]:
    """Applies all steps to each text, in their order, then `last`.

    The steps are repeated until they change nothing. So a normalised text stays the same when it is
    normalised again, and a hypothesis stays equal to its reference.

    Args:
        texts: the texts.
        steps: names of STEPS.
        last: a step of the tokenizer.
    """
    functions = [*map(STEPS.__getitem__, steps), last]

    def settle(text: str) -> str:
        if not isinstance(text, str):
            raise UserError(f"A text must be a string, not {abbreviate(text)}.")
        for _ in range(_ROUNDS):
            before = text
            for function in functions:
                text = function(text)
            if text == before:
                break
        return text

    return list(map(settle, texts))


def normalize_lines(texts: Iterable[str], steps: Sequence[str]) -> Iterator[str]:
    """Applies `normalize_texts` to one text after the other.

    Raises:
        UserError: a name of a step is unknown.
    """
    check_steps(steps)
    return (normalize_texts([text], steps)[0] for text in texts)
