"""Remembers what reading and tangling gave, so that chapters which nobody has touched are not read again."""

from __future__ import annotations

import importlib.metadata
import pickle
import sys
from pathlib import Path

from bindery import files
from bindery.inputs import digest_of, written_inputs
from bindery.library import Library
from bindery.model import Book

READERS = ("ipython", "markdown-it-py", "mdit-py-plugins", "pydantic", "pyyaml")
"""Distributions that have a part in reading, or in what is read."""


def made_from(root: Path) -> str:
    """Names all that a book and its library are made from: chapters, bindery itself, versions."""
    own = sorted(Path(__file__).parent.glob("*.py"))
    parts = [
        *((path.name, path.read_bytes()) for path in own),
        *((name, importlib.metadata.version(name).encode()) for name in READERS),
        ("python", sys.version.encode()),
        ("chapters", written_inputs(root).encode()),
    ]
    return digest_of(parts)


def recall(build: Path, inputs: str) -> tuple[Book, Library] | None:
    """What was remembered as made from `inputs`, if that was the last."""
    try:
        found, book, library = pickle.loads(_kept(build).read_bytes())
    except Exception:  # there is none, or it is not whole, or of another version: reading gives the same
        return None
    return (book, library) if found == inputs else None


def remember(build: Path, inputs: str, book: Book, library: Library) -> None:
    """Keep a book and its library for the next command."""
    files.write_if_changed(_kept(build), pickle.dumps((inputs, book, library), protocol=5))


def _kept(build: Path) -> Path:
    return build / "sphinx" / "book.pickle"
