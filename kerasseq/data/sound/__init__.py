"""Recordings with transcripts, stored and batched."""
