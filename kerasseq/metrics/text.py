"""Metrics of texts against references, by sacreBLEU."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sacrebleu

from kerasseq.errors import UserError


@dataclass(frozen=True)
class Score:
    """The value of a metric.

    Attributes:
        name: the name of the metric.
        value: the value in percent.
        signature: the signature of sacreBLEU, which names its version and settings.

    Example:

    >>> import kerasseq
    >>> score = kerasseq.metrics.Score("WER", 12.5)
    >>> print(score)
    WER 12.50
    >>> score.to_dict()
    {'name': 'WER', 'value': 12.5, 'signature': ''}
    """

    name: str
    value: float
    signature: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Returns the score as a dictionary that JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f}" + (f"  {self.signature}" if self.signature else "")


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Returns the corpus BLEU of detokenized texts (Papineni et al., 2002; Post, 2018).

    Args:
        hypotheses: N texts of a model.
        references: N texts, one reference for each.

    Raises:
        UserError: there is no text, or the numbers of texts differ.

    Example:

    >>> import kerasseq
    >>> score = kerasseq.metrics.bleu(["two dogs play in snow"], ["two dogs play in the snow"])
    >>> f"{score.value:.1f}"
    '57.9'
    """
    return _measure("BLEU", sacrebleu.BLEU(), hypotheses, references)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Returns chrF2, the F-score of character n-grams (Popović, 2015).

    Args:
        hypotheses: N texts of a model.
        references: N texts, one reference for each.

    Raises:
        UserError: there is no text, or the numbers of texts differ.

    Example:

    >>> import kerasseq
    >>> score = kerasseq.metrics.chrf(["two dogs play in snow"], ["two dogs play in the snow"])
    >>> f"{score.value:.1f}"
    '70.8'
    """
    return _measure("chrF", sacrebleu.CHRF(), hypotheses, references)


def exact_match(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Returns the percentage of texts that equal their reference, apart from outer white space.

    Args:
        hypotheses: N texts of a model.
        references: N texts, one reference for each.

    Raises:
        UserError: there is no text, or the numbers of texts differ.

    Example:

    >>> import kerasseq
    >>> print(kerasseq.metrics.exact_match(["one ", "two"], ["one", "three"]))
    exact match 50.00
    """
    _check(hypotheses, references)
    equal = [a.strip() == b.strip() for a, b in zip(hypotheses, references, strict=True)]
    return Score("exact match", 100 * sum(equal) / len(equal))


def _measure(name, metric, hypotheses, references):
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
