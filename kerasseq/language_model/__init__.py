"""Language models over the units of a model's texts."""

from kerasseq.language_model.ngram import NGram

__all__ = ["NGram"]
