"""Pairs of texts: corpora, stores and batches."""
