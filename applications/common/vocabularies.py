"""Whether the vocabulary of a model to start from fits the user's texts."""

from collections.abc import Iterable, Mapping
from itertools import accumulate, islice
from typing import Any, NamedTuple

from kerasseq.applications.common.starting import read_tokenizer
from kerasseq.errors import UserError
from kerasseq.preprocessing import Tokenizer
from kerasseq.preprocessing.normalization import normalize_texts

# The examples to look at, and their characters on a side: half of them teach a vocabulary, and half
# are counted.
_EXAMPLES, _CHARACTERS = 4000, 400_000

# The most pieces for one of a vocabulary of the texts' own, and the largest share of unknown
# characters, of a vocabulary that fits. With the preset multi30k-en-de, English and German of other
# subjects have at most 1.4 pieces for one, French 1.8 and Czech 2.2; code and abstracts of papers
# have 1.7 to 1.9. A vocabulary of words lacks 0.1 of the characters of other captions.
_PIECES, _UNKNOWN, _UNKNOWN_IN_WORDS = 1.6, 0.02, 0.25


class Fit(NamedTuple):
    """How a vocabulary writes some texts.

    Attributes:
        kind: the kind of the vocabulary: "unigram", "word".
        pieces: the pieces of a word.
        own: the pieces of a word in a vocabulary of the same kind and size that such texts teach.
        unknown: the share of the characters that are unknown to the vocabulary.
    """

    kind: str
    pieces: float
    own: float
    unknown: float

    def describe(self, side: str) -> str:
        """Returns what is wrong with the vocabulary for texts of a side, or ""."""
        limit = _UNKNOWN_IN_WORDS if self.kind == "word" else _UNKNOWN
        long = self.pieces > _PIECES * self.own
        if not long and self.unknown <= limit:
            return ""
        parts = []
        if long:
            parts.append(
                f"{self.pieces:.1f} pieces a word of the {side} texts, where one of your own data "
                f"has {self.own:.1f}"
            )
        if self.unknown >= 0.001:
            of = "their characters" if long else f"the characters of the {side} texts"
            parts.append(f"no piece for {100 * self.unknown:.1f}% of {of}")
        return " and ".join(parts)


def measure_fit(preprocessor: Any, side: str, texts: Iterable[str]) -> Fit | None:
    """Measures how a preprocessor's vocabulary fits texts; None if there is nothing to compare."""
    tokenizer = preprocessor.tokenizer(side)
    kind = read_tokenizer(preprocessor, 0).get("tokenizer.kind", "unigram")
    texts = normalize_texts(list(texts), preprocessor.steps)
    taught, counted = texts[::2], texts[1::2]
    try:
        own = Tokenizer.train(taught, kind, tokenizer.vocabulary_size)
    except UserError:  # nothing to learn, or more characters than pieces
        return None
    words = sum(len(text.split()) for text in counted)
    if not words:
        return None
    pieces, others = (sum(map(len, some.encode(counted))) / words for some in (tokenizer, own))
    strange = sum(len(unit) for text in counted for unit in tokenizer.unknown(text))
    return Fit(kind, pieces, others, strange / sum(len("".join(text.split())) for text in counted))


def judge_vocabulary(preprocessor: Any, rows: Iterable[Mapping[str, str]], name: str) -> str:
    """Returns a sentence if the vocabulary of a model to start from does not fit, or "".

    Args:
        preprocessor: that of the model.
        rows: the texts of examples by their side.
        name: the name of the model.
    """
    rows, parts = list(islice(rows, _EXAMPLES)), []
    for side in preprocessor.SIDES:
        lengths = accumulate(len(row[side]) for row in rows)
        texts = [row[side] for row, all_ in zip(rows, lengths, strict=True) if all_ < _CHARACTERS]
        if fit := measure_fit(preprocessor, side, texts):
            parts += filter(None, [fit.describe(side)])
    if not parts:
        return ""
    return (
        f"The vocabulary of {name} does not fit your data: it has {', and '.join(parts)}. If they "
        "are of another language or subject, leave out --start-from, for a vocabulary of your own."
    )
