"""The types that every stage shares: what a book is, what tangling and running it gives, what can be wrong."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bindery.settings import Facts, SectionSettings


@dataclass(frozen=True, order=True)
class Location:
    """A line of the book's source; `path` is relative to the book's root, with forward slashes."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"

    def down(self, lines: int) -> Location:
        """The location some lines further down in the same file."""
        return Location(self.path, self.line + lines)


@dataclass(frozen=True)
class Edit:
    """How a program may mend something: so many `lines` from `first` on become `text`, which ends with a line break."""

    first: Location
    lines: int
    text: str


@dataclass(frozen=True, order=True)
class Problem:
    """Something an author must mend: where, which rule, what is wrong and what would be right."""

    location: Location
    rule: str
    message: str
    detail: str = ""
    edit: Edit | None = field(default=None, compare=False)

    def __str__(self) -> str:
        text = f"{self.location}: {self.message} [{self.rule}]"
        return f"{text}\n{textwrap.indent(self.detail, '    ')}" if self.detail else text


class ProblemsFound(Exception):
    """Raised by a stage that cannot give a result; carries all the problems it found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = sorted(set(problems))


class Mistyped(Exception):
    """Raised where a command asks for what there is not; says what would be right."""


@dataclass(frozen=True)
class Cell:
    """A run of Markdown or one code cell; `location` is its first line of source."""

    kind: Literal["markdown", "code"]
    source: str
    location: Location
    tags: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """One file of the book: one page, one notebook, one kernel. `path` is relative to the root."""

    path: str
    title: str
    label: str
    cells: tuple[Cell, ...]
    settings: SectionSettings
    number: str = ""
    line: int = 1
    front_matter: tuple[str, ...] = ()
    """The keys at its head."""

    @property
    def name(self) -> str:
        """Chapter folder and stem, as in `gan/dcgan`: what Sphinx calls the docname."""
        return self.path.removeprefix("chapters/").rsplit(".", 1)[0]

    @property
    def chapter(self) -> str:
        """The chapter's folder, empty for a file that stands directly in `chapters/`."""
        return self.name.rpartition("/")[0]

    @property
    def in_appendix(self) -> bool:
        """Whether it explains tools that earlier sections may use."""
        return self.chapter.startswith("appendix")

    @property
    def heading(self) -> str:
        """How readers call it: `Section 9.1`, or the title where it has no number."""
        return f"Section {self.number}" if self.number else self.title

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells."""
        return tuple(cell for cell in self.cells if cell.kind == "code")


@dataclass(frozen=True)
class Chapter:
    """A numbered chapter with its opening page, or a folder of unnumbered front or back matter."""

    folder: str
    title: str
    number: str
    index: Section | None
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Book:
    """The whole source, read once, in reading order."""

    root: Path
    facts: Facts
    index: Section
    chapters: tuple[Chapter, ...]

    def sections(self) -> Iterator[Section]:
        """All sections in reading order, chapter openings included, the book's own index page not."""
        for chapter in self.chapters:
            if chapter.index:
                yield chapter.index
            yield from chapter.sections

    def pages(self) -> Iterator[Section]:
        """All pages in reading order, the book's index page first."""
        yield self.index
        yield from self.sections()


@dataclass(frozen=True)
class Injected:
    """The cell that a profile adds after the cell tagged `parameters`: `name = value` lines."""

    after: int
    values: Mapping[str, Any]

    @property
    def source(self) -> str:
        """The Python text of the injected cell."""
        return "\n".join(f"{name} = {value!r}" for name, value in self.values.items())


@dataclass(frozen=True)
class DataUse:
    """The book's data sets as one section gets them."""

    declared: Mapping[str, str] = field(default_factory=dict)
    """The sets that the section declares, each `real` or `stand-in`."""
    set_of: Mapping[str, str] = field(default_factory=dict)
    """For each URL of the book's data, the set it belongs to."""
    mirrors: Path | None = None
    """The mirror file that the library's data hub reads."""


@dataclass(frozen=True)
class Gpu:
    """A GPU: its name as `CUDA_VISIBLE_DEVICES` takes it, and its memory in GiB."""

    name: str
    memory: float


@dataclass(frozen=True)
class Need:
    """What a section occupies beside a CPU slot, and for how long; None for what has not been measured yet."""

    gpus: int = 0
    memory: float | None = None
    """GiB of each GPU."""
    seconds: float | None = None


@dataclass(frozen=True)
class Task:
    """All that a kernel needs to run one section."""

    section: Section
    injected: Injected | None
    library: Path
    folder: Path
    """The working directory, emptied before the run."""
    home: Path
    """Where packages keep what all sections share, such as lists of fonts."""
    timeout: int
    profile: str
    key: str
    environment: Mapping[str, str]
    """What the cache files the result under: device kind, Python and package versions."""
    data: DataUse = field(default_factory=DataUse)
    need: Need = field(default_factory=Need)


@dataclass(frozen=True)
class Turn:
    """When a section ran, in seconds since the run of all sections began, and in which slot, from 0."""

    start: float
    slot: int


@dataclass(frozen=True)
class Execution:
    """The result of running a section: its notebook with outputs (a v4 notebook as JSON), or what went wrong."""

    section: str
    notebook: Mapping[str, Any]
    seconds: float
    cell_seconds: tuple[float, ...]
    """Of each cell that `runs`, in order, up to the one that failed."""
    device: str
    cached: bool
    error: Problem | None = None
    turn: Turn | None = None
    """None where the result was stored already."""
    gpu_memory: float | None = None
    """GiB that it came to hold of a GPU, if that was measured."""
    memory: float | None = None
    """GiB that its kernel came to hold of the machine's memory, if that was measured."""


def runs(cell: Mapping[str, Any]) -> bool:
    """Whether a cell of a notebook is sent to the kernel."""
    return bool(
        cell["cell_type"] == "code"
        and cell["source"].strip()
        and "skip-execution" not in cell["metadata"].get("tags", ())
    )
