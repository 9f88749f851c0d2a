"""CTC prefix beam search, with a language model or without."""

from typing import Any

import numpy as np

from kerasseq.errors import UserError
from kerasseq.special_ids import END

# A frame with a blank more probable than this extends no hypothesis. What is lost are paths that
# have a label begin in it, at most 1e-4 of all for each such frame: a label that other frames
# speak for loses some hundredths of a nat, one that none does is not found.
_CERTAIN = np.log1p(-1e-4)


def ctc_prefix_beam_search(
    log_probs: np.ndarray,
    width: int = 10,
    language_model: Any = None,
    lm_weight: float = 0.0,
    length_bonus: float = 0.0,
) -> list[tuple[list[int], float]]:
    """Finds the label sequences Y of one utterance X with the best scores, in NumPy.

        score(Y) = log p_ctc(Y | X) + lm_weight * log p_lm(Y, end) + length_bonus * |Y|

    Each hypothesis has the probabilities of its paths that end in a blank and of its paths that end
    in its last label. So the search sums all paths of a label sequence (Hannun et al., 2014,
    algorithm 1). It ranks hypotheses by the score without the end. No result holds a special id.

    Args:
        log_probs: (S, V), the real frames of the utterance. The blank is 0.
        width: hypotheses that the search keeps in each frame.
        language_model: None, or an object with `start()`, `log_probs(states)` and
            `advance(states, tokens)`, such as `kerasseq.NGram`.
        lm_weight: at least 0.
        length_bonus: nats for each label.

    Returns:
        At most `width` pairs (labels, score), best first.

    Raises:
        UserError: a number is out of its range.

    Example:

    >>> import numpy as np
    >>> from kerasseq.transduction import ctc_prefix_beam_search
    >>> log_probs = np.log([[0.6, 0, 0, 0, 0.4], [0.6, 0, 0, 0, 0.4]] + np.float64(1e-9))
    >>> [(labels, round(float(np.exp(score)), 2)) for labels, score in
    ...  ctc_prefix_beam_search(log_probs, width=2)]  # greedy search finds no label
    [([4], 0.64), ([], 0.36)]
    """
    if width < 1:
        raise UserError(f"The beam's width must be at least 1, not {width}.")
    if lm_weight < 0:
        raise UserError(f"The language model's weight must be at least 0, not {lm_weight}.")
    blanks = np.array(log_probs, np.float64)[:, 0]
    labels = np.array(log_probs, np.float64)
    labels[:, : END + 1] = -np.inf
    fusion = _Fusion(language_model if lm_weight else None, lm_weight, length_bonus)
    tree = _Tree()
    # Hypotheses: node in the tree of prefixes, last label, parent's node, log-probabilities of
    # the paths that end in a blank and in the label, and the score of the fusion.
    node, last, parent = np.array([0]), np.array([0]), np.array([-1])
    in_blank, in_label = np.zeros(1), np.full(1, -np.inf)
    state, extra = fusion.start()
    gains = fusion.gains(state)

    for blank, label in zip(blanks, labels, strict=True):
        total = np.logaddexp(in_blank, in_label)
        stay_blank, stay_label = total + blank, in_label + label[last]
        if blank > _CERTAIN:
            in_blank, in_label = stay_blank, stay_label
            continue
        longer = total[:, None] + label
        longer[np.arange(len(node)), last] = in_blank + label[last]
        # A hypothesis whose parent is also in the beam equals an extension of this parent.
        child, of = np.nonzero(parent[:, None] == node)
        stay_label[child] = np.logaddexp(stay_label[child], longer[of, last[child]])
        longer[of, last[child]] = -np.inf
        stays = np.logaddexp(stay_blank, stay_label) + extra

        # Labels that can lift no hypothesis above those that are there already.
        floor = stays.min() if len(node) == width else -np.inf
        columns = np.flatnonzero(label + (total + extra).max() + max(length_bonus, 0) > floor)
        longer = longer[:, columns]
        scores = longer + extra[:, None] + (gains[:, columns] if gains.ndim == 2 else gains)
        scores = np.concatenate([stays, scores.ravel()])
        best = np.argpartition(-scores, width - 1)[:width] if len(scores) > width else slice(None)
        best = np.arange(len(scores))[best]
        best = best[scores[best] > -np.inf]

        kept, new = best[best < len(node)], best[best >= len(node)] - len(node)
        of, column = np.divmod(new, max(len(columns), 1))
        token = columns[column]
        added = tree.children(node[of], token)
        if gains.ndim == 2:
            extra = np.concatenate([extra[kept], extra[of] + gains[of, token]])
            states = fusion.advance(state[of], token)
            state = np.concatenate([state[kept], states])
            gains = np.concatenate([gains[kept], fusion.gains(states)])
        else:
            extra = np.concatenate([extra[kept], extra[of] + gains])
        parent = np.concatenate([parent[kept], node[of]])
        node = np.concatenate([node[kept], added])
        last = np.concatenate([last[kept], token])
        in_blank = np.concatenate([stay_blank[kept], np.full(len(new), -np.inf)])
        in_label = np.concatenate([stay_label[kept], longer[of, column]])

    scores = np.logaddexp(in_blank, in_label) + extra + fusion.ends(state)
    order = np.argsort(-scores, kind="stable")
    return [(tree.labels(node[i]), float(scores[i])) for i in order]


class _Tree:
    """The prefixes that were in the beam, numbered; 0 is the empty one."""

    def __init__(self):
        self._numbers: dict[tuple[int, int], int] = {}
        self._parents, self._labels = [-1], [0]

    def children(self, nodes, labels):
        """The numbers of the prefixes that are one label longer."""
        found = np.empty(len(nodes), np.int64)
        for i, key in enumerate(zip(nodes.tolist(), labels.tolist(), strict=True)):
            number = self._numbers.setdefault(key, len(self._parents))
            if number == len(self._parents):
                self._parents.append(key[0])
                self._labels.append(key[1])
            found[i] = number
        return found

    def labels(self, node):
        found = []
        while node:
            found.append(self._labels[node])
            node = self._parents[node]
        return found[::-1]


class _Fusion:
    """The nats that a label adds beside CTC; `gains` is a number where there is no model."""

    def __init__(self, language_model, weight, bonus):
        self.model, self.weight, self.bonus = language_model, weight, bonus

    def start(self):
        state = None if self.model is None else np.array([self.model.start()])
        return state, np.zeros(1)

    def gains(self, states):
        """(n,) states to (n, V) nats."""
        if self.model is None:
            return np.float64(self.bonus)
        return self.weight * self.model.log_probs(states) + self.bonus

    def advance(self, states, tokens):
        return self.model.advance(states, tokens)

    def ends(self, states):
        if self.model is None:
            return 0.0
        return self.weight * self.model.log_probs(states)[:, END]
