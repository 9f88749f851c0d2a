"""What texts are like: how many, how long, of which words and characters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

FREQUENT = 5
"""A word that comes as often as this is frequent: a model can learn to write it."""


@dataclass(frozen=True)
class TextFacts:
    """Counts of texts. A word is a run of characters without white space, as it is written.

    Attributes:
        texts: the number of texts.
        words: the number of words of all texts.
        characters: the number of characters of all texts, with white space.
        distinct_words: the number of different words.
        distinct_characters: the number of different characters.
        frequent_share: the share of the different words that come at least five times, from 0 to 1.
        mean_words: the mean number of words of a text.
        longest_words: the largest number of words of a text.
        mean_characters: the mean number of characters of a text.
        longest_characters: the largest number of characters of a text.
        word_counts: maps each word to how often it comes.
        character_counts: maps each character to how often it comes.
        words_each: the number of words of each text, in order: (texts,) int32.
        characters_each: the number of characters of each text, in order: (texts,) int32.
    """

    texts: int
    words: int
    characters: int
    distinct_words: int
    distinct_characters: int
    frequent_share: float
    mean_words: float
    longest_words: int
    mean_characters: float
    longest_characters: int
    word_counts: Mapping[str, int] = field(repr=False, compare=False)
    character_counts: Mapping[str, int] = field(repr=False, compare=False)
    words_each: np.ndarray = field(repr=False, compare=False)
    characters_each: np.ndarray = field(repr=False, compare=False)


class TextTally:
    """Counts texts, some thousands at a time, into `TextFacts`."""

    def __init__(self):
        self._words: Counter[str] = Counter()
        self._characters: Counter[str] = Counter()
        self._lengths: list[np.ndarray] = []

    def add(self, texts: Sequence[str]) -> None:
        """Counts some texts."""
        words = [text.split() for text in texts]
        for some in words:
            self._words.update(some)
        self._characters.update("".join(texts))
        lengths = (list(map(len, words)), list(map(len, texts)))
        self._lengths.append(np.array(lengths, np.int32).reshape(2, -1))

    def facts(self) -> TextFacts:
        """Returns the facts of all texts that were added."""
        lengths = np.concatenate([np.zeros((2, 0), np.int32), *self._lengths], axis=1)
        texts, frequent = lengths.shape[1], sum(n >= FREQUENT for n in self._words.values())
        words, characters = map(int, lengths.sum(axis=1, dtype=np.int64))
        longest_words, longest_characters = map(int, lengths.max(axis=1, initial=0))
        return TextFacts(
            texts=texts,
            words=words,
            characters=characters,
            distinct_words=len(self._words),
            distinct_characters=len(self._characters),
            frequent_share=frequent / max(len(self._words), 1),
            mean_words=words / max(texts, 1),
            longest_words=longest_words,
            mean_characters=characters / max(texts, 1),
            longest_characters=longest_characters,
            word_counts=self._words,
            character_counts=self._characters,
            words_each=lengths[0],
            characters_each=lengths[1],
        )
