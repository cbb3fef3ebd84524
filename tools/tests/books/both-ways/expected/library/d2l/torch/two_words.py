"""Two words (chapter 2): the code saved there."""

from d2l import torch as d2l

import math
from functools import reduce

__all__ = [
    "largest",
    "Square",
]


# chapters/two-words/b.md:6, Section 2.1
def largest(numbers):
    return math.floor(reduce(max, numbers))


# chapters/two-words/b.md:35, Section 2.1
class Square(d2l.Shape):
    sides = 4


# chapters/two-words/b.md:38, Section 2.1
d2l.SIZES["large"] = 3
