"""Takes edits of the library back to the chapters: book, library and edited text in, new chapter texts out. Pure.

What cannot be taken back exactly is a problem, and then nothing is taken back.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bindery.align import Edit, align
from bindery.library import Library
from bindery.model import Book, Chapter, Location, Problem, ProblemsFound, Section
from bindery.parse import read_page
from bindery.rewrite import WITH_ENDING, Change, rewrite
from bindery.saved import SavedBlock
from bindery.tangle import tangle


@dataclass(frozen=True)
class Untangled:
    """The chapter files that edits change, with their new texts, and the library that these make."""

    texts: Mapping[str, str]
    library: Library

    def diffs(self, before: Mapping[str, str]) -> list[str]:
        """What changes in each chapter file, as a unified diff."""
        found = []
        for path, text in sorted(self.texts.items()):
            old, new = (
                WITH_ENDING.sub(lambda line: line[0].rstrip("\r\n") + "\n", each) for each in (before[path], text)
            )
            lines = difflib.unified_diff(old.split("\n"), new.split("\n"), path, path, lineterm="")
            found.append("\n".join(lines))
        return found


def untangle(
    book: Book, library: Library, edited: Mapping[str, str], texts: Mapping[str, str], folder: str
) -> Untangled:
    """Take edits back; `edited` has the files of the library, which lie in `folder`, `texts` the chapter files' own.

    Raises `ProblemsFound` with every edit that no chapter can hold, or that would not come out of tangling as it is.
    """
    edits, problems = _find_edits(library, edited, folder)
    if problems:
        raise ProblemsFound(problems)
    changes = _changes(edits)
    sections = {section.path: section for section in book.sections()}
    new_texts = {path: rewrite(sections[path], texts[path], of_path) for path, of_path in changes.items()}
    new_book, problems = _read_again(book, new_texts)
    problems += _check_cells(sections, new_book, changes)
    if not problems:
        try:
            new_library = tangle(new_book)
        except ProblemsFound as found:
            problems = found.problems
    if problems:
        raise ProblemsFound([_where_edited(problem, edits) for problem in problems])
    problems = _check_library(library, new_library, edited, folder)
    if problems:
        raise ProblemsFound(problems)
    return Untangled(new_texts, new_library)


def _find_edits(library: Library, edited: Mapping[str, str], folder: str) -> tuple[list[Edit], list[Problem]]:
    edits: list[Edit] = []
    problems: list[Problem] = []

    def tell(path: str, line: int, message: str) -> None:
        problems.append(Problem(Location(f"{folder}/{path}", line), "untangle", message))

    for path, text in library.files.items():
        if path not in edited:
            tell(path, 1, "this file is missing; put it back, or remove the saved code from its section")
        elif edited[path] != text and path in library.lines:
            found, wrong = align(f"{folder}/{path}", library.lines[path], edited[path])
            edits += found
            problems += wrong
        elif edited[path] != text:
            tell(path, first_difference(text, edited[path]), "bindery writes this file; it comes from no section")
    for path in edited.keys() - library.files.keys():
        tell(path, 1, "no section saves anything into this file; save its code in one, and remove it here")
    return edits, problems


def first_difference(one: str, other: str) -> int:
    """The first line, from 1, on which two texts differ."""
    lines, others = one.split("\n"), other.split("\n")
    same = (number for number, pair in enumerate(zip(lines, others, strict=False), 1) if pair[0] != pair[1])
    return next(same, min(len(lines), len(others)))


def _changes(edits: Iterable[Edit]) -> dict[str, dict[int, list[Change]]]:
    """The edits as changes of cells, by chapter file and the cell's place in it."""
    by_block: dict[int, list[Edit]] = {}
    for edit in edits:
        by_block.setdefault(id(edit.block), []).append(edit)
    found: dict[str, dict[int, list[Change]]] = {}
    for of_block in by_block.values():
        block = of_block[0].block
        place = next(place for place, cell in enumerate(block.section.cells) if cell is block.cell)
        in_cell = _changes_in_cell(block, [edit.change for edit in of_block])
        found.setdefault(block.section.path, {}).setdefault(place, []).extend(in_cell)
    return found


def _changes_in_cell(block: SavedBlock, changes: list[Change]) -> list[Change]:
    """Changes of a block as changes of its cell, in which one of the block's lines may end with its mark."""
    top = block.location.line - block.cell.location.line
    own = block.source.split("\n")
    held = block.cell.source.split("\n")[top : top + len(own)]
    marked = next((number for number, line in enumerate(held) if line != own[number]), -1)
    lines = list(held)
    for change in sorted(changes, key=lambda change: change.first, reverse=True):
        lines[change.first : change.last] = change.lines
    if any(change.first <= marked < change.last for change in changes):
        lines[_line_for_mark(lines) if marked else 0] += held[marked][len(own[marked]) :]
    matcher = difflib.SequenceMatcher(None, held, lines, autojunk=False)
    return [
        Change(top + first, top + last, tuple(lines[start:end]))
        for kind, first, last, start, end in matcher.get_opcodes()
        if kind != "equal"
    ]


def _line_for_mark(lines: list[str]) -> int:
    """The line, from 0, below a statement's decorators."""
    try:
        return ast.parse("\n".join(lines)).body[0].lineno - 1
    except SyntaxError:
        return 0  # tangling will tell


def _read_again(book: Book, texts: Mapping[str, str]) -> tuple[Book, list[Problem]]:
    """The book with other texts for some of its sections, whose places and numbers stay."""
    problems: list[Problem] = []

    def again(section: Section) -> Section:
        if section.path not in texts:
            return section
        text = texts[section.path].replace("\r\n", "\n").replace("\r", "\n")
        page, found = read_page(section.path, text)
        problems.extend(found)
        return replace(page.section, number=section.number)

    def with_sections(chapter: Chapter) -> Chapter:
        index = again(chapter.index) if chapter.index else None
        return replace(chapter, index=index, sections=tuple(map(again, chapter.sections)))

    return replace(book, chapters=tuple(map(with_sections, book.chapters))), problems


def _check_cells(
    sections: Mapping[str, Section], book: Book, changes: Mapping[str, Mapping[int, list[Change]]]
) -> list[Problem]:
    """Say so if a chapter with its changes does not read as the same cells with these changes."""
    problems = []
    for section in (each for each in book.sections() if each.path in changes):
        where = None
        expected = []
        for place, cell in enumerate(sections[section.path].cells):
            lines = cell.source.split("\n")
            for change in sorted(changes[section.path].get(place, ()), key=lambda each: each.first, reverse=True):
                lines[change.first : change.last] = change.lines
            expected.append((cell.kind, cell.tags, "\n".join(lines)))
        for new, (kind, tags, source) in zip(section.cells, expected, strict=False):
            if not where and (new.kind, new.tags, new.source) != (kind, tags, source):
                where = new.location.down(first_difference(new.source, source) - 1)
        if where or len(section.cells) != len(expected):
            where = where or Location(section.path, section.line)
            problems.append(Problem(where, "untangle", "a cell of this chapter cannot hold this text"))
    return problems


def _where_edited(problem: Problem, edits: Iterable[Edit]) -> Problem:
    """A problem that the changed chapters would have, told where the last edit above it was made."""
    same = [edit for edit in edits if edit.block.location.path == problem.location.path]
    above = [edit for edit in same if edit.block.location.line <= problem.location.line]
    nearest = max(above or same or list(edits), key=lambda edit: edit.block.location.line if above else 0)
    place = "" if same else f" at {problem.location}"
    message = f"taken back to {nearest.block.location}, this would not do{place}: {problem.message}"
    return Problem(nearest.location, problem.rule, message)


def _check_library(old: Library, new: Library, edited: Mapping[str, str], folder: str) -> list[Problem]:
    """Say where the library that the changed chapters make is another than the edited one, origins aside."""
    problems = []
    for path, lines in new.lines.items():
        known = edited.get(path, "").split("\n")
        for number, (line, text) in enumerate(zip([*(line for line in lines), None], known, strict=False)):
            shown = line.text if line else ""
            if shown != text and not (line and line.tells_origin):
                message = (
                    f"tangled again, the library would have another line here, `{shown.strip()}`; edit the section"
                )
                problems.append(Problem(Location(f"{folder}/{path}", number + 1), "untangle", message))
                break
    for path in new.files.keys() - new.lines.keys():
        if not problems and not path.endswith("_origin.json") and new.files[path] != old.files.get(path):
            message = "taken back, the edits would change this file, which bindery writes; edit the section"
            problems.append(Problem(Location(f"{folder}/{path}", 1), "untangle", message))
    return problems
