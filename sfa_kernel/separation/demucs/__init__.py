"""Demucs: learned models, run segment by segment on this machine."""
