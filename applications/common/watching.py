"""What a head's training is compared with, so that it notices when it goes wrong."""

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from kerasseq.applications.common.head import Head
from kerasseq.applications.common.preparation import Prepared
from kerasseq.models import Seq2Seq, SequenceModel
from kerasseq.training import TrainingConfig, Watch
from kerasseq.training.model_selection import METRICS
from kerasseq.training.watch import quote

# The most training texts that are counted, and validation texts that are written to look at.
_COUNTED, _WRITTEN = 20_000, 32


def make_watch(head: Head, model: SequenceModel, data: Prepared, notes: dict[str, str]) -> Watch:
    """Returns what the training of a head is compared with.

    Args:
        notes: sentences that are known before the training, by what they are about.
    """
    preprocessor = model.preprocessor
    references = head.list_references(preprocessor)
    unigram = None
    if isinstance(model, Seq2Seq):
        size = preprocessor.target_vocabulary_size
        counts = [data.stores[part].count_labels(size) for part in ("train", "valid")]
        unigram = compute_unigram_loss(*counts)
    return Watch(
        head.examples,
        different=len({some[0] for some in references if some}),
        unigram=unigram,
        constant=_measure_constant_texts(head, preprocessor, len(references)),
        write=lambda model: head.write(model, _WRITTEN),
        notes=notes,
    )


def make_measure(
    head: Head, watch: Watch, config: TrainingConfig
) -> Callable[[SequenceModel], dict[str, float]] | None:
    """Returns a function that measures a model on the validation part, for a watch too.

    It is None if the loss alone chooses the best weights.
    """
    if config.best_by == "loss":
        return None

    def measure(model: SequenceModel) -> dict[str, float]:
        watch.texts = head.write(model)
        return head.score(model.preprocessor, watch.texts)

    return measure


def compute_unigram_loss(train: np.ndarray, valid: np.ndarray) -> float:
    """Computes the cross-entropy of units under their frequencies in the training part.

        -sum_v n_v log((m_v + 1) / sum_w (m_w + 1)) / sum_v n_v

    Args:
        train: m, (V,), the number of each unit in the training part.
        valid: n, (V,), the number of each unit in the validation part.
    """
    logs = np.log(train + 1.0) - np.log((train + 1.0).sum())
    return float(-(valid * logs).sum() / max(valid.sum(), 1))


def _measure_constant_texts(
    head: Head, preprocessor: Any, count: int
) -> dict[str, tuple[float, str]]:
    """Returns each metric of writing one text for all examples, and the better text of two.

    The texts are the commonest of the training part, and nothing.
    """
    texts = preprocessor.normalize(
        [row["target"] for row in islice(head.iterate_texts(), _COUNTED)]
    )
    commonest = Counter(texts).most_common(1)[0][0]
    scores = {what: head.score(preprocessor, [what] * count) for what in ("", commonest)}
    constant = {}
    for name in scores[""]:
        values = {what: score[name] for what, score in scores.items()}
        choose = max if METRICS[name].higher_is_better else min
        best = choose(values, key=values.get)
        constant[name] = values[best], quote(best)
    return constant
