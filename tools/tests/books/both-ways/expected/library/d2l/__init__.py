"""The library of *Both ways*."""

__version__ = "0.0.1"
