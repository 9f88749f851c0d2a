"""Metrics of captions against several references of the same picture, as COCO's evaluation."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import sacrebleu

from kerasseq.errors import UserError
from kerasseq.metrics.cider import CiderD
from kerasseq.metrics.text import Score
from kerasseq.metrics.words import caption_words


def caption_scores(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]]
) -> dict[str, Score]:
    """BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D by name, over the words of `caption_words`.

    All are a hundred times the output of COCO's evaluation (coco-caption), as papers print them:
    BLEU and ROUGE-L lie in 0 to 100, CIDEr-D in 0 to 1,000, and a CIDEr-D of 55 is 0.55 there.

    - BLEU-n of the corpus (Papineni et al., 2002) with the closest reference length, by sacreBLEU
      without its tokenizer or smoothing. Where no n-gram matches it is 0; COCO's code adds 1e-15
      to the matches and prints a trifle.
    - ROUGE-L (Lin, 2004), mean over captions: see `rouge_l`.
    - CIDEr-D, mean over captions, with the document frequencies of these references.

    METEOR is left out: no maintained package computes it as COCO's Java program does.

    Args:
        hypotheses: (N,) captions.
        references: for each caption its references, at least one; their number may vary.

    Raises:
        UserError: if there is no caption, one without a reference, or the numbers differ.
    """
    if len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses):,} captions cannot be compared with the references of "
            f"{len(references):,} examples."
        )
    consensus = CiderD(references).scores(np.arange(len(hypotheses)), hypotheses)
    found = [caption_words(text) for text in hypotheses]
    said = [[caption_words(text) for text in texts] for texts in references]
    scores = _bleu(found, said)
    common = [rouge_l(words, texts) for words, texts in zip(found, said, strict=True)]
    scores.append(Score("ROUGE-L", 100 * float(np.mean(common))))
    scores.append(Score("CIDEr-D", 100 * float(consensus.mean())))
    return {score.name: score for score in scores}


def rouge_l(hypothesis: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """ROUGE-L of words, in 0 to 1: the F-measure of the longest common subsequence.

    F = (1 + beta^2) P R / (R + beta^2 P), beta = 1.2 (Lin, 2004, equation 4). As in COCO's code, P
    is the best precision and R the best recall over the references, be it of different ones.
    """
    common = [_longest_common(hypothesis, words) for words in references]
    if not any(common):
        return 0.0
    precision = max(common) / len(hypothesis)
    recall = max(n / len(words) for n, words in zip(common, references, strict=True) if words)
    return (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence, a bit to a word of `one` (Hyyrö, 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(one)) - 1
    free = full
    for word in other:
        matched = free & places.get(word, 0)
        free = (free + matched | free - matched) & full
    return len(one) - free.bit_count()


def _bleu(hypotheses: list[list[str]], references: list[list[list[str]]]) -> list[Score]:
    texts = [" ".join(words) for words in hypotheses]
    # sacreBLEU wants the first references of all, the second, ...; None where there are no more.
    columns = list(zip_longest(*([" ".join(words) for words in one] for one in references)))
    metric = sacrebleu.BLEU(tokenize="none", smooth_method="none")
    matches = metric.corpus_score(texts, columns)
    signature = str(metric.get_signature())
    return [
        Score(
            f"BLEU-{order}",
            metric.compute_bleu(
                matches.counts[:order],
                matches.totals[:order],
                matches.sys_len,
                matches.ref_len,
                smooth_method="none",
                max_ngram_order=order,
            ).score,
            signature,
        )
        for order in range(1, 5)
    ]
