"""Recordings with transcripts: corpora, stores and batches."""
