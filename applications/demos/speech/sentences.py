"""English sentences, numbers, dates and spelled words, for `voices.py` to speak.

    python -m kerasseq.applications.demos.speech.sentences OUTPUT --count 10000 --data-dir DIR

Three quarters are sentences of Tatoeba (the sets tatoeba-deu and tatoeba-fra) of 4 to 14 words. The
others are what people dictate: digits, numbers, dates, spelled words, letters and single words.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from kerasseq.applications.demos.phrases.spoken import (
    NAMES,
    ONES,
    spell_cardinal,
    spell_ordinal,
    spell_year,
)
from kerasseq.data.public import datasets

MONTHS = [name.lower() for name in NAMES[:12]]


def read_sentences(data_dir: str | None) -> list[str]:
    """Returns the English sentences of the training parts, without signs and in lower case."""
    sentences = set()
    for name, source in (("tatoeba-deu", "de"), ("tatoeba-fra", "fr")):
        for _, english in datasets.pairs(name, source, "en", data_dir)["train"]:
            if re.fullmatch(r"[A-Za-z' ,.?!\"-]+", english):
                words = re.sub(r"[^a-z' ]", " ", english.lower()).split()
                if 4 <= len(words) <= 14:
                    sentences.add(" ".join(words))
    return sorted(sentences)


def draw_texts(sentences: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """Yields `count` texts: sentences, each at most once, and what is dictated."""
    rng = Random(seed)
    words = sorted({word for text in sentences for word in text.split() if word.isalpha()})
    words = [word for word in words if 3 <= len(word) <= 9] or ["word"]
    order = rng.sample(sentences, len(sentences))
    for _ in range(count):
        yield order.pop() if order and rng.random() < 0.75 else draw_dictated(words, rng)


def draw_dictated(words: Sequence[str], rng: Random) -> str:
    """Draws digits, numbers, a date, a spelled word, letters or a few words."""
    (kind,) = rng.choices(
        ("digits", "numbers", "spelled", "letters", "date", "words"), (25, 15, 30, 10, 10, 10)
    )
    if kind == "digits":
        return " ".join(rng.choice(ONES[:10]) for _ in range(rng.randint(2, 7)))
    if kind == "numbers":
        return " ".join(spell_cardinal(rng.randrange(100)) for _ in range(rng.randint(1, 4)))
    if kind == "spelled":
        return " ".join(rng.choice(words))
    if kind == "letters":
        return " ".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 7)))
    if kind == "date":
        day, year = spell_ordinal(rng.randint(1, 31)), spell_year(rng.randint(1900, 2029))
        return f"{rng.choice(MONTHS)} {day} {year}"
    return " ".join(rng.choices(words, k=rng.randint(1, 4)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--data-dir", help="where data sets are; or KERASSEQ_DATA")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    texts = draw_texts(read_sentences(arguments.data_dir), arguments.count, arguments.seed)
    arguments.output.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


if __name__ == "__main__":
    main()
