"""All that *Notebooks* saves, chapter by chapter. Made by bindery from the book's chapters; do not edit."""

from typing import TYPE_CHECKING

if not TYPE_CHECKING:
    # Chapters extend each other both ways, so one may need a name of another before this module has it.
    _HOMES = {
        "double": "one",
    }

    def __getattr__(name):
        """Find a name that is not exported yet in the chapter that defines it."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


from d2l.torch.one import (
    double,
)

__all__ = [
    "double",
]
