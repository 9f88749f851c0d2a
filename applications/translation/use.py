"""Texts to texts, in any number."""

from collections.abc import Iterable, Iterator, Sequence

from kerasseq.data.parallel import batched
from kerasseq.models import Hypothesis, Options, Seq2Seq

CHUNK = 2048
"""Texts that are read and translated together."""


def translate(
    model: Seq2Seq,
    texts: Iterable[str],
    options: Options | None = None,
    *,
    prefix: str | None = None,
    with_models: Sequence[Seq2Seq] = (),
    batch_size: int = 32,
) -> Iterator[tuple[str, list[Hypothesis]]]:
    """Yields each text with its hypotheses, best first; a blank text has none.

    Args:
        model: a model that reads text.
        texts: as many as there are; they are read by the chunk.
        options: how to decode; by default as the model was measured.
        prefix: how every text begins.
        with_models: the further members of an ensemble.
        batch_size: texts that are decoded together.

    Example:

    >>> import kerasseq
    >>> from kerasseq.applications.translation.use import translate
    >>> model = kerasseq.load("multi30k-en-de")
    >>> for text, hypotheses in translate(model, ["A man is riding a bicycle.", ""]):
    ...     print([one.text for one in hypotheses])
    ['Ein Mann fährt Fahrrad.']
    []
    """
    done = 0
    for chunk in batched(texts, CHUNK):
        full = [text for text in chunk if text.strip()]
        hypotheses = iter(
            model.hypotheses(
                full,
                options,
                prefixes=None if prefix is None else [prefix] * len(full),
                with_models=with_models,
                batch_size=batch_size,
                first_row=done,
            )
        )
        done += len(full)
        yield from ((text, next(hypotheses) if text.strip() else []) for text in chunk)
