"""One (chapter 1): the code saved there."""

from d2l import torch as d2l

from functools import partial

__all__ = [
    "add_to_class",
    "Shape",
    "Empty",
    "SIZES",
]


# chapters/one/a.md:6, Section 1.1
def add_to_class(Class):
    """Register functions as methods of a class that exists."""
    def wrapper(thing):
        setattr(Class, getattr(thing, "fget", thing).__name__, thing)
    return wrapper


# chapters/one/a.md:14, Section 1.1
class Shape(d2l.Named):
    """Something with an area."""
    sides = 0

    # chapters/two-words/b.md:11, Section 2.1
    def area(self, scale=2):
        """A docstring

  with odd indentation.
    """
        return scale * d2l.largest([1.5, 2])

    # chapters/two-words/b.md:31, Section 2.1
    def name(self):
        return "better"

    # chapters/two-words/b.md:19, Section 2.1
    @property
    def label(self):
        return f"""shape
of {self.sides} sides"""


# chapters/one/a.md:24, Section 1.1
class Empty:
    pass

    # chapters/two-words/b.md:25, Section 2.1
    def added(self):
        return partial(max, 1)(0)


# chapters/one/a.md:26, Section 1.1
SIZES: dict[str, int] = {"small": 1}
