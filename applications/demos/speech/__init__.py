"""Phrases that a synthesiser speaks."""
