"""Compose an institution's newsletter and get it, provably, to every reader who should have it."""

__version__ = "0.1.0"
