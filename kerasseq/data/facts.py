"""A survey of a corpus: what it has, as far as that shows without decoding files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kerasseq.data.corpus import Corpus
from kerasseq.data.parallel import batched
from kerasseq.data.pictures.facts import PictureFacts, count_captions
from kerasseq.data.problems import Problems
from kerasseq.data.sound.facts import SoundFacts, measure_recordings
from kerasseq.data.text.facts import TextFacts, TextTally

_AT_ONCE = 8192
_KINDS = {"pair": "text", "recording": "sound", "picture": "picture"}


@dataclass(frozen=True)
class Survey:
    """What a corpus is like, as far as it shows without decoding files.

    Attributes:
        kind: "text", "sound" or "picture", as `reads` of a head.
        examples: the number of pairs, recordings or pictures.
        target: the texts that a model learns to write: targets, transcripts, captions.
        source: the texts that a model reads; None unless the examples are pairs.
        sound: lengths, rates and speakers; None unless the examples are recordings.
        pictures: files and captions; None unless the examples are pictures.
        problems: the entries that the reading left out.

    Example:

    >>> from kerasseq.data import ListCorpus, survey
    >>> facts = survey(ListCorpus([("eins", "one"), ("zwei", "two")]))
    >>> facts.kind, facts.examples, facts.target.words
    ('text', 2, 2)
    """

    kind: Literal["text", "sound", "picture"]
    examples: int
    target: TextFacts
    source: TextFacts | None = None
    sound: SoundFacts | None = None
    pictures: PictureFacts | None = None
    problems: Problems = field(default_factory=Problems, repr=False, compare=False)


def survey(corpus: Corpus) -> Survey:
    """Goes over a corpus once and counts what is in it.

    Of recordings it reads headers alone, at most 20,000. It decodes nothing and needs no Keras.

    Args:
        corpus: pairs, recordings or captioned pictures.

    Raises:
        UserError: as the corpus does while it is read.

    Example:

    >>> from kerasseq.data import ListCorpus, survey
    >>> facts = survey(ListCorpus([("eins", "one"), ("zwei drei", "two three")]))
    >>> facts.kind, facts.examples, facts.sound
    ('text', 2, None)
    >>> facts.target.words, facts.target.distinct_words, facts.target.longest_words
    (3, 3, 2)
    >>> facts.source.mean_characters, sorted(facts.source.character_counts)[:4]
    (6.5, [' ', 'd', 'e', 'i'])
    >>> facts.target.words_each.tolist()
    [1, 2]
    """
    kind = _KINDS.get(corpus.example)
    source, target = TextTally(), TextTally()
    recordings: list[Any] = []
    paths: set[str] = set()
    captions: list[int] = []
    examples = 0
    for some in batched(corpus, _AT_ONCE):
        kind = kind or _KINDS[getattr(some[0], "kind", "pair")]
        examples += len(some)
        if kind == "text":
            for tally, texts in zip((source, target), zip(*some, strict=True), strict=True):
                tally.add(texts)
            continue
        target.add(_texts_of(some))
        if kind == "sound":
            recordings += some
        else:
            paths.update(example.path for example in some)
            captions += [len(example.texts) for example in some]
    return Survey(
        kind=kind or "text",
        examples=examples,
        target=target.facts(),
        source=source.facts() if kind == "text" else None,
        sound=measure_recordings(recordings) if kind == "sound" else None,
        pictures=count_captions(len(paths), captions) if kind == "picture" else None,
        problems=corpus.problems,
    )


def _texts_of(examples: Sequence[Any]) -> list[str]:
    return [text for example in examples for text in example.texts]
