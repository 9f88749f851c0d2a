"""Metrics of text against references, by sacreBLEU."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sacrebleu

from kerasseq.errors import UserError


@dataclass(frozen=True)
class Score:
    """A figure and how it was measured.

    Attributes:
        name: of the metric.
        value: in percent.
        signature: sacreBLEU's, which names version and settings.
    """

    name: str
    value: float
    signature: str = ""

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f}" + (f"  {self.signature}" if self.signature else "")


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Corpus BLEU of detokenised text (Papineni et al., 2002; Post, 2018)."""
    return _measured("BLEU", sacrebleu.BLEU(), hypotheses, references)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """chrF2, the F-score of character n-grams (Popović, 2015)."""
    return _measured("chrF", sacrebleu.CHRF(), hypotheses, references)


def exact_match(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """The share of texts that equal their reference, outer white space aside."""
    _check(hypotheses, references)
    equal = [a.strip() == b.strip() for a, b in zip(hypotheses, references, strict=True)]
    return Score("exact match", 100 * sum(equal) / len(equal))


def _measured(name, metric, hypotheses, references):
    _check(hypotheses, references)
    value = metric.corpus_score(list(hypotheses), [list(references)]).score
    return Score(name, value, str(metric.get_signature()))


def _check(hypotheses, references):
    if len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses):,} texts cannot be compared with {len(references):,} references."
        )
    if not len(references):
        raise UserError("There is no text to measure.")
