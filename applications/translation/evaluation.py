"""How well a model translates texts whose translations are known."""

from collections.abc import Callable, Sequence
from typing import Any

from kerasseq.applications.common import evaluation
from kerasseq.applications.translation.use import translate
from kerasseq.data import FileCorpus, PairCorpus
from kerasseq.data.public import datasets
from kerasseq.metrics import bleu, chrf, exact_match
from kerasseq.models import Options, Seq2Seq


class Evaluation(evaluation.Evaluation):
    """The translations of a corpus, with BLEU, chrF and the share of exact matches."""

    examples = "pairs"

    def to_dict(self) -> dict[str, Any]:
        return {"pairs": len(self.texts), "scores": [score.to_dict() for score in self.scores]}

    def __str__(self) -> str:
        return "\n".join([f"{len(self.texts):,} pairs", *map(str, self.scores)])


def read_corpus(
    model: Seq2Seq,
    files: Sequence[str],
    dataset: str | None = None,
    data_dir: str | None = None,
    *,
    source: str | None = None,
    target: str | None = None,
) -> PairCorpus:
    """Returns the pairs of files, or the test part of a data set.

    Args:
        source, target: the languages to take from a data set; by default those of the model.
    """
    card = [code if isinstance(code, str) else "" for code in map(model.card.get, _SIDES)]
    if not dataset:
        return FileCorpus(files, languages=tuple(card))
    source, target = source or card[0] or None, target or card[1] or None
    return datasets.pairs(dataset, source, target, data_dir)["test"]


_SIDES = ("source", "target")


def evaluate(
    model: Seq2Seq,
    corpus: PairCorpus,
    options: Options | None = None,
    batch_size: int = 32,
    progress: Callable[[int], object] = lambda pairs: None,
    **how: Any,
) -> Evaluation:
    """Translates a corpus and compares the texts with the references.

    Args:
        options: how to decode; by default as the model was measured.
        batch_size: texts that are decoded together.
        progress: called with 1 for each pair.
        how: further arguments of `translate`.
    """
    sources, references = zip(*corpus, strict=True)
    texts = []
    for _, hypotheses in translate(model, sources, options, batch_size=batch_size, **how):
        texts.append(hypotheses[0].text if hypotheses else "")
        progress(1)
    references = model.preprocessor.normalize(list(references))
    scores = [metric(texts, references) for metric in (bleu, chrf, exact_match)]
    return Evaluation(texts, scores, corpus.problems)
