"""Stand-ins: small generated data sets in the file formats of the real ones, so that nothing needs the network."""

from __future__ import annotations

from collections.abc import Mapping

from bindery.settings import StandIn

# What draws is imported late: only that needs NumPy and Pillow, and books are read without.


def make(name: StandIn) -> Mapping[str, bytes]:
    """Draw a stand-in: its files by name, the same bytes in every run."""
    from bindery.standin import garments, sprites

    return garments.files() if name == "garments" else sprites.files()


def sheet(made: Mapping[StandIn, Mapping[str, bytes]]) -> bytes:
    """Some of what the files of these stand-ins hold, as one picture (PNG)."""
    from bindery.standin import formats, garments, sprites

    draw = {"garments": garments.sheet, "sprites": sprites.sheet}
    return formats.png(formats.stack([draw[name](files) for name, files in made.items()]))
