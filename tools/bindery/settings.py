"""What authors may write in `book.yml` and in front matter, checked once with a hint for typing errors."""

from __future__ import annotations

import importlib.metadata
import json
import keyword
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

StandIn = Literal["garments", "sprites"]
"""What bindery can draw in place of a data set."""

VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?")
"""Versions as PyPA writes them, so that the wheel's name and the library's `__version__` are the same."""


class Strict(BaseModel):
    """A model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SectionSettings(Strict):
    """The `bindery:` part of a section's front matter."""

    gpus: int = Field(default=0, ge=0)
    timeout: int = Field(default=600, gt=0, description="seconds for the whole section")
    memory: float = Field(default=0, ge=0, description="GiB that the kernel may hold; 0 for no limit")
    data: tuple[str, ...] = ()
    quick: dict[str, Any] = Field(default_factory=dict)

    @field_validator("quick")
    @classmethod
    def _can_be_injected(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            if not name.isidentifier() or keyword.iskeyword(name):
                raise ValueError(f"`{name}` is not a name that Python code can set")
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):
                raise ValueError(
                    f"`{name}` is not made of numbers, text, true, false, null, lists and mappings"
                ) from None
        return values


class Author(Strict):
    """One person who wrote the book."""

    name: str
    url: str = ""


class Part(Strict):
    """A part of the book: its title and the chapter folders it holds."""

    title: str
    chapters: tuple[str, ...]


def _checksum(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}|[0-9a-f]{40}", text):
        raise ValueError(f"{text!r} is no SHA-256 in 64 hexadecimal digits, nor a SHA-1 in 40")
    return text


def _url(text: str) -> str:
    if not re.fullmatch(r"(https?|file)://\S*/[^/\s]+", text):
        raise ValueError(f"{text!r} is not a URL that ends in a file's name")
    return text


class DataSet(Strict):
    """A data set: the files it consists of, and what may stand in for it."""

    files: dict[Annotated[str, AfterValidator(_url)], Annotated[str, AfterValidator(_checksum)]]
    """URL to checksum."""
    standin: StandIn | None = None


class Mirror(Strict):
    """From where to take a file instead of from its own URL."""

    url: Annotated[str, AfterValidator(_url)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Given if it is another file; else the checksum of the original must hold."""


class Mirrors(Strict):
    """A mirror file: URL to mirror."""

    files: dict[str, Mirror]


class Style(Strict):
    """How the book is to be written, as far as a program can tell; what is absent is not checked."""

    avoid: dict[str, str] = Field(default_factory=dict)
    """Regular expressions for words that are not written, with what to do instead."""
    spelling: tuple[str, ...] | None = None
    """Words that are right, although codespell takes them for misspellings; if absent, nothing is checked."""
    longest_sentence: int | None = Field(default=None, gt=0)
    median_sentence: int | None = Field(default=None, gt=0)
    """Words of the median sentence of a section."""
    longest_paragraph: int | None = Field(default=None, gt=0)
    """Sentences of a paragraph."""
    repeated_words: int | None = Field(default=None, gt=2)
    """A run of so many words may stand only once in the book."""
    code_width: int | None = Field(default=None, gt=0)
    """Characters of a line of code."""
    notation: str = ""
    """The section, such as `front-matter/notation`, that shows all typefaces that formulas may use."""
    labels: bool = False
    """Whether pages, figures, tables and exercises have labels, whose prefixes tell what they are."""
    mentioned: tuple[Literal["figure", "table", "equation"], ...] = ()
    """What the text has to refer to if it has a label."""
    imports_first: bool = False
    """Whether a section's first code cell has all its imports."""
    front_matter: bool = False
    """Whether sections with code name their kernel, and pages without code have no settings for it."""
    saved_used: bool = False
    """Whether other sections or other saved code use each saved name."""
    names: dict[str, str] = Field(default_factory=dict)
    """Regular expressions for names that code does not use, with what to do instead."""

    @field_validator("avoid", "names")
    @classmethod
    def _are_expressions(cls, values: dict[str, str]) -> dict[str, str]:
        for pattern in values:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return values


PLACES = ("page", "notebook", "path", "line", "title", "version")
"""What the templates of links may ask for, in braces."""


def _template(text: str) -> str:
    names = set(re.findall(r"\{(\w*)\}", text))
    if not re.match(r"https?://", text) or names - {*PLACES}:
        allowed = ", ".join(f"{{{name}}}" for name in PLACES)
        raise ValueError(f"{text!r} is not a URL in which only {allowed} are filled in")
    return text


Template = Annotated[str, AfterValidator(_template)]


class Giscus(Strict):
    """Discussions on GitHub, as giscus.app writes them down for a repository."""

    repo: str
    repo_id: str
    category: str
    category_id: str


class Links(Strict):
    """Where a section's page leads to, besides the book itself; what is absent is not offered.

    `{page}` is the page's address relative to the site, `{notebook}` that of its notebook, `{path}` the section's file
    in the repository, `{line}` the line of the heading that the reader has last passed.
    """

    run: dict[str, Template] = Field(default_factory=dict)
    """Services that open the section's notebook, such as `Colab`, with their addresses."""
    edit: Template | None = None
    report: Template | None = None
    discuss: Template | None = None
    """A page of a forum, such as a Discourse topic."""
    giscus: Giscus | None = None
    """Or a discussion on the page itself; it is loaded when a reader asks for it."""


class Notebooks(Strict):
    """What the notebooks need besides what the sections import themselves, by the names of distributions."""

    requires: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    """Installed without what they ask for themselves."""

    @field_validator("requires", "alone")
    @classmethod
    def _are_installed(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                raise ValueError(f"no distribution `{name}` is installed here, whose version could be noted") from None
        return names


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
    licences: dict[str, str] = Field(default_factory=dict)
    """What of the book, such as `Code`, is under which licence."""
    paper: Literal["A4", "Letter"] = "A4"
    """The size of the printed book's pages."""
    year: int | None = None
    """Of this edition, for those who cite it."""
    redirects: dict[str, str] = Field(default_factory=dict)
    """Pages that are gone, such as `gan/gans`, each with the page that took its place."""
    editions: str = ""
    """The URL of a JSON file that lists all editions, for a note on those that are old."""
    links: Links = Field(default_factory=Links)
    parts: tuple[Part, ...] = ()
    requires: tuple[str, ...] = ()
    """What the wheel needs, as PyPA requirement lines."""
    notebooks: Notebooks = Field(default_factory=Notebooks)
    data: dict[str, DataSet] = Field(default_factory=dict)
    """Data sets by the names that sections declare."""
    katex_macros: dict[str, str] = Field(default_factory=dict)
    style: Style = Field(default_factory=Style)
    """What `bindery lint` holds the prose to."""

    @field_validator("version")
    @classmethod
    def _is_a_version(cls, value: str) -> str:
        if not VERSION.fullmatch(value):
            raise ValueError(f"{value!r} is not a version such as 1.2.0 or 1.2.0rc1")
        return value
