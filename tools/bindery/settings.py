"""What authors may write in `book.yml` and in front matter, checked once with a hint for typing errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SectionSettings(Strict):
    """The `bindery:` part of a section's front matter."""

    gpus: int = Field(default=0, ge=0)
    timeout: int = Field(default=600, gt=0, description="seconds for the whole section")
    data: tuple[str, ...] = ()
    quick: dict[str, Any] = Field(default_factory=dict)


class Author(Strict):
    """One person who wrote the book."""

    name: str
    url: str = ""


class Part(Strict):
    """A part of the book: its title and the chapter folders it holds."""

    title: str
    chapters: tuple[str, ...]


class Facts(Strict):
    """`chapters/book.yml`: what is true of the whole book."""

    title: str
    version: str
    authors: tuple[Author, ...]
    language: str = "en"
    description: str = ""
    copyright: str = ""
    url: str = ""
    source: str = ""
    parts: tuple[Part, ...] = ()
    requires: tuple[str, ...] = ()
    """What the wheel needs, as PyPA requirement lines."""
    data: dict[str, str] = Field(default_factory=dict)
    """Data sets by name, each with its SHA-256."""
    katex_macros: dict[str, str] = Field(default_factory=dict)
