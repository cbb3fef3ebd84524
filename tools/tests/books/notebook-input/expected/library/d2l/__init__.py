"""The library of *Notebooks*."""

__version__ = "0.0.1"
