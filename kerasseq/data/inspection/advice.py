"""Sentences on what is wrong with data, for the first lines of a training."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from kerasseq.data.corpus import Corpus
from kerasseq.data.facts import Survey, survey
from kerasseq.data.inspection.overlap import Index, find_shared_speakers
from kerasseq.data.inspection.report import PARTS
from kerasseq.data.inspection.sounds import count_ctc_steps, count_ctc_units

# A model learns little from data with fewer than one of these numbers, unless most words are
# frequent: digits and commands need less.
_FEW_SECONDS, _FEW_PAIRS, _FEW_PICTURES = 3600, 5000, 2000
_FREQUENT = 0.4  # the share of the words that come five times or more
_IMPOSSIBLE = 0.02  # the share of the transcripts that CTC cannot write
_SHARED = 0.01  # the share of the sources of a part that are in the training part too
_REPEATED = 0.1  # the share of the examples that repeat others


def advise(parts: Mapping[str, Corpus | None]) -> list[str]:
    """Returns sentences on what is wrong with data, the most important first.

    It reads lists and headers, and decodes nothing.

    Args:
        parts: the examples by "train", "valid" and "test"; None for a part that there is not.
    """
    corpora = {part: corpus for part, corpus in parts.items() if corpus is not None}
    indices = {part: Index(corpus) for part, corpus in corpora.items()}
    training, pairs = corpora["train"], corpora["train"].example == "pair"
    sentences = list(_advise_on_overlap(indices, f"{training.example}s"))
    if pairs and len(indices["train"]) >= _FEW_PAIRS:
        return sentences  # of so many pairs the rest says nothing, and takes time
    facts = survey(training)
    sentences += [*_advise_on_ctc(training, facts), *_advise_on_amount(facts)]
    if facts.sound:
        sentences += _advise_on_speakers(corpora, facts)
    return sentences


def _advise_on_overlap(indices: Mapping[str, Index], examples: str) -> Iterator[str]:
    """Yields sentences on sources that several parts have, and on repeated pairs."""
    training = indices["train"]
    counts = []
    for part in ("test", "valid"):
        if part in indices:
            shared = int(np.isin(indices[part].sources, training.sources).sum())
            if shared > _SHARED * len(indices[part]):
                counts.append(f"{shared:,} of {len(indices[part]):,} {PARTS[part]}")
    if counts:
        yield (
            f"{' and '.join(counts)} {examples} read what is in the training part too: scores on "
            "them say little about new ones."
        )
    repeated = len(training) - len(np.unique(training.pairs))
    if repeated > _REPEATED * len(training):
        yield (
            f"{repeated:,} of {len(training):,} training {examples} repeat others, which so count "
            "several times."
        )


def _advise_on_ctc(corpus: Corpus, facts: Survey) -> Iterator[str]:
    """Yields a sentence on transcripts that CTC cannot write."""
    if not facts.sound or not facts.sound.measured:
        return
    units = np.array([count_ctc_units(recording.text) for recording in corpus])
    count = int((units > count_ctc_steps(facts.sound.seconds_each)).sum())
    if count > _IMPOSSIBLE * facts.sound.measured:
        yield (
            f"{count:,} of {facts.sound.measured:,} transcripts have more characters than CTC can "
            "write in their sound: see whether text and sound belong together."
        )


def _advise_on_amount(facts: Survey) -> Iterator[str]:
    """Yields a sentence if there is little to learn from."""
    target = facts.target
    if target.frequent_share >= _FREQUENT:
        return
    rare = f"{100 * (1 - target.frequent_share):.0f} % of the {target.distinct_words:,} different"
    if facts.sound and facts.sound.measured and facts.sound.seconds < _FEW_SECONDS:
        yield (
            f"{facts.sound.seconds / 60:.0f} minutes of sound are few: {rare} words come less than "
            "five times. Begin with an encoder that has heard more (training.encoder_from), or "
            "record more."
        )
    elif facts.kind == "text" and facts.examples < _FEW_PAIRS:
        yield (
            f"{facts.examples:,} pairs are few: {rare} target words come less than five times. "
            "Expect these texts and little beyond them."
        )
    elif facts.kind == "picture" and facts.examples < _FEW_PICTURES:
        yield (
            f"{facts.examples:,} pictures are few: {rare} words come less than five times. "
            "Expect no names of things that are seen so seldom."
        )


def _advise_on_speakers(corpora: Mapping[str, Corpus], facts: Survey) -> Iterator[str]:
    """Yields sentences on who speaks in which part."""
    assert facts.sound is not None
    if facts.sound.speakers == 1:
        yield "All training recordings are of one speaker: others will be understood less well."
    counts = []
    for part in ("test", "valid"):
        if facts.sound.speakers > 1 and part in corpora:
            speakers = Counter(some.speaker for some in corpora[part])
            known = {name: count for name, count in speakers.items() if name}
            shared = find_shared_speakers(part, known, facts.sound.speaker_counts, speakers.total())
            if shared.count:
                counts.append(f"{shared.count:,} of {shared.of:,} {PARTS[part]}")
    if counts:
        yield (
            f"{' and '.join(counts)} recordings are by speakers of the training part: scores say "
            "little about new speakers."
        )
