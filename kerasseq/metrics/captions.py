"""Metrics of captions against several references of the same picture, as in COCO's evaluation."""

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
    """Returns BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D by name, over the words of `caption_words`.

    All values are a hundred times the output of COCO's evaluation (coco-caption), as papers print
    them: BLEU and ROUGE-L are between 0 and 100, CIDEr-D is between 0 and 1,000. A CIDEr-D of 55
    is 0.55 in COCO's output.

    - BLEU-n of the corpus (Papineni et al., 2002) uses the closest reference length. sacreBLEU
      computes it without its tokenizer and without smoothing. If no n-gram matches, it is 0;
      COCO's code adds 1e-15 to the matches, so that its output is slightly above 0.
    - ROUGE-L (Lin, 2004) is the mean over the captions; see `rouge_l`.
    - CIDEr-D is the mean over the captions, with the document frequencies of these references.

    METEOR is missing: no maintained package computes it as COCO's Java program does.

    Args:
        hypotheses: the N captions.
        references: for each caption one or more references; their number may vary.

    Raises:
        UserError: there is no caption, a caption has no reference, or the numbers of captions and
            references differ.

    Example:

    >>> import kerasseq
    >>> references = [["a dog runs on grass", "a brown dog runs"], ["two people sit on a bench"]]
    >>> scores = kerasseq.metrics.caption_scores(["a dog runs", "two men sit"], references)
    >>> {name: round(score.value, 1) for name, score in scores.items()}
    {'BLEU-1': 42.8, 'BLEU-2': 33.1, 'BLEU-3': 30.4, 'BLEU-4': 0.0,
     'ROUGE-L': 62.7, 'CIDEr-D': 263.4}
    """
    if len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses):,} captions cannot be compared with the references of "
            f"{len(references):,} examples."
        )
    consensus = CiderD(references).scores(np.arange(len(hypotheses)), hypotheses)
    candidates = [caption_words(text) for text in hypotheses]
    references = [[caption_words(text) for text in texts] for texts in references]
    scores = _compute_bleu(candidates, references)
    common = [rouge_l(words, texts) for words, texts in zip(candidates, references, strict=True)]
    scores.append(Score("ROUGE-L", 100 * float(np.mean(common))))
    scores.append(Score("CIDEr-D", 100 * float(consensus.mean())))
    return {score.name: score for score in scores}


def rouge_l(hypothesis: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Returns ROUGE-L of words, from 0 to 1: the F-measure of the longest common subsequence.

        F = (1 + beta^2) P R / (R + beta^2 P),  beta = 1.2

    Lin, 2004, equation 4. As in COCO's code, P is the best precision and R the best recall over
    the references; they may come from different references.
    """
    common = [_count_common(hypothesis, words) for words in references]
    if not any(common):
        return 0.0
    precision = max(common) / len(hypothesis)
    recall = max(n / len(words) for n, words in zip(common, references, strict=True) if words)
    return (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


def _count_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Returns the length of the longest common subsequence, with bits for words (Hyyrö, 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(one)) - 1
    free = full
    for word in other:
        matched = free & places.get(word, 0)
        free = (free + matched | free - matched) & full
    return len(one) - free.bit_count()


def _compute_bleu(hypotheses: list[list[str]], references: list[list[list[str]]]) -> list[Score]:
    texts = [" ".join(words) for words in hypotheses]
    # sacreBLEU takes the first reference of each caption, then the second; None if there is none.
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
