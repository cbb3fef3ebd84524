"""The book as far as a reader has come, and whether its sections can do with that: book in, book or problems out. Pure.

The appendix explains tools that sections before it may use. So of its cells those count as there from the outset that
use nothing which is still to come.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from bindery.cellcode import parse_cell
from bindery.library import Library
from bindery.model import Book, Cell, Location, Problem, Section
from bindery.saved import SavedBlock
from bindery.symbols import global_names, source_of, uses_of_cell


def book_until(book: Book, library: Library, name: str) -> Book:
    """The book with its sections up to one, and of the appendix the cells that save what can be there by then."""
    history = History(book, library)
    place = history.places[name]
    cells = {id(cell) for cell in history.tools_at(place)}

    def cut(section: Section) -> list[Section]:
        if history.places[section.name] <= place:
            return [section]
        kept = tuple(cell for cell in section.cells if id(cell) in cells)
        return [replace(section, cells=kept)] if kept else []

    chapters = []
    for chapter in book.chapters:
        index = next(iter(cut(chapter.index) if chapter.index else ()), None)
        sections = tuple(kept for section in chapter.sections for kept in cut(section))
        chapters += [replace(chapter, index=index, sections=sections)] if index or sections else []
    return replace(book, chapters=tuple(chapters))


def check_until(book: Book, library: Library) -> list[Problem]:
    """Every name that a section reaches before the section which defines it; what tangling tells is left to it."""
    history = History(book, library)
    problems = []
    for section in book.sections():
        if not section.in_appendix:
            there = history.names_at(history.places[section.name])
            for name, where in history.direct_uses(section):
                if name in history.first and name not in there:
                    problems.append(Problem(where, "not-yet-defined", history.why_missing(name, there)))
    return problems


@dataclass(frozen=True)
class History:
    """Which names of the library are there at which section."""

    book: Book
    library: Library

    @cached_property
    def places(self) -> dict[str, int]:
        """The sections in reading order."""
        return {section.name: place for place, section in enumerate(self.book.sections())}

    @cached_property
    def _naming(self) -> list[SavedBlock]:
        return [block for block in self.library.blocks if block.kind not in ("extension", "item")]

    @cached_property
    def first(self) -> dict[str, SavedBlock]:
        """The block that first defines each name."""
        return {name: block for block in reversed(self._naming) for name in block.names}

    @cached_property
    def _tools(self) -> list[Cell]:
        """The cells of the appendix that save something."""
        cells = {id(block.cell): block.cell for block in self.library.blocks if block.section.in_appendix}
        return list(cells.values())

    def tools_at(self, place: int) -> list[Cell]:
        """The cells of the appendix that use nothing which comes after a section."""
        tools = self._tools
        while left := [cell for cell in tools if not self._missing(cell, self._names(place, tools))]:
            if len(left) == len(tools):
                break
            tools = left
        return left

    def names_at(self, place: int) -> frozenset[str]:
        """All names that are there when a section has been read."""
        return self._names(place, self.tools_at(place))

    def _names(self, place: int, tools: Iterable[Cell]) -> frozenset[str]:
        kept = {id(cell) for cell in tools}
        there = (b for b in self._naming if self.places[b.section.name] <= place or id(b.cell) in kept)
        return frozenset(name for block in there for name in block.names)

    def _missing(self, cell: Cell, there: frozenset[str]) -> list[str]:
        """The names of the library that a cell uses and that are not there."""
        bare = global_names(source_of(parse_cell(cell.source)))
        return sorted((uses_of_cell(cell.source).names | bare) & self.first.keys() - there)

    def direct_uses(self, section: Section) -> list[tuple[str, Location]]:
        """The names that a section's cells write with the prefix, and those that its saved blocks write without."""
        found = []
        for cell in section.code:
            if "raises-exception" not in cell.tags:
                lines = uses_of_cell(cell.source).lines
                found += [(name, cell.location.down(line - 1)) for name, line in lines.items()]
        for block in self.library.blocks:
            if block.section.path == section.path:
                names = global_names(source_of(block.merged)) & self.first.keys()
                found += [(name, _line_of(block, name)) for name in sorted(names)]
        return found

    def why_missing(self, name: str, there: frozenset[str]) -> str:
        """What is wrong with using a name of which this is all that is there."""
        block = self.first[name]
        if not block.section.in_appendix:
            return f"`{name}` is defined later, in {_place_of(block)}; move one of them, or save it here"
        late = self._first_late(block, there)
        return f"`{name}` of the appendix needs `{late.names[0]}`, which is defined later, in {_place_of(late)}"

    def _first_late(self, tool: SavedBlock, there: frozenset[str]) -> SavedBlock:
        """What a block of the appendix lacks, or what a block of the appendix lacks that it needs, and so on."""
        waiting, seen = [tool], {id(tool.cell)}
        for block in waiting:
            for needed in (self.first[name] for name in self._missing(block.cell, there)):
                if not needed.section.in_appendix:
                    return needed
                if id(needed.cell) not in seen:
                    seen.add(id(needed.cell))
                    waiting.append(needed)
        raise AssertionError(f"{tool.location} lacks nothing")  # `tools_at` would have kept its cell


def _place_of(block: SavedBlock) -> str:
    return f"{block.section.heading} ({block.location})"


def _line_of(block: SavedBlock, name: str) -> Location:
    """The first line of a block on which a name stands by itself."""
    nodes = (node for node in ast.walk(block.statement) if isinstance(node, ast.Name) and node.id == name)
    return block.location.down(min((node.lineno for node in nodes), default=1) - 1)
