"""The library of *Minimal*."""

__version__ = "0.0.1"
