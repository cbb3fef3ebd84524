"""All that *Both ways* saves, chapter by chapter. Made by bindery from the book's chapters; do not edit."""

from typing import TYPE_CHECKING

if not TYPE_CHECKING:
    # Chapters extend each other both ways, so one may need a name of another before this module has it.
    _HOMES = {
        "math": "front_matter",
        "os": "front_matter",
        "partial": "front_matter",
        "reduce": "front_matter",
        "add_to_class": "one",
        "Shape": "one",
        "Empty": "one",
        "SIZES": "one",
        "largest": "two_words",
        "Square": "two_words",
        "Named": "appendix",
    }

    def __getattr__(name):
        """Find a name that is not exported yet in the chapter that defines it."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


from d2l.torch.front_matter import (
    math,
    os,
    partial,
    reduce,
)
from d2l.torch.one import (
    add_to_class,
    Shape,
    Empty,
    SIZES,
)
from d2l.torch.two_words import (
    largest,
    Square,
)
from d2l.torch.appendix import (
    Named,
)

__all__ = [
    "math",
    "os",
    "partial",
    "reduce",
    "add_to_class",
    "Shape",
    "Empty",
    "SIZES",
    "largest",
    "Square",
    "Named",
]
