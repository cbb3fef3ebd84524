"""Front matter: the code saved there."""

# chapters/front-matter/preface.md:5, Preface
import math

# chapters/front-matter/preface.md:6, Preface
import os.path

# chapters/front-matter/preface.md:7, Preface
from functools import partial, reduce

__all__ = [
    "math",
    "os",
    "partial",
    "reduce",
]
