"""One (chapter 1): the code saved there."""

# chapters/one/a.md:20, Section 1.1
import math

# chapters/one/a.md:21, Section 1.1
import random as rng

__all__ = [
    "math",
    "rng",
    "area",
]


# chapters/one/a.md:23, Section 1.1
def area(radius):
    """The area of a circle."""
    return math.pi * radius ** 2
