"""Pairs of texts, stored and batched."""
