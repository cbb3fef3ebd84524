"""Checks every name that the book's code takes from the library: gathered blocks in, problems out."""

from __future__ import annotations

import ast

from bindery.gather import Entry, Gathered
from bindery.model import Book, Location, Problem
from bindery.saved import SavedBlock
from bindery.symbols import BUILTINS, free_names, source_of, uses_of_cell, uses_of_tree
from bindery.validate import hint

IMPORT_ATTRIBUTES = frozenset({"__all__", "__doc__", "__file__", "__name__", "__path__", "__spec__"})


def check_names(book: Book, gathered: Gathered, problems: list[Problem]) -> None:
    """Undefined names, bare or prefixed, and uses that come before the definition."""
    for entry in gathered.entries:
        for block in (entry.block, *entry.extensions):
            _check_bare(block, entry, gathered, problems)
            for name, line in uses_of_tree(block.statement).lines.items():
                _check_prefixed(name, block.location.down(line - 1), gathered, problems)
    places = {section.path: index for index, section in enumerate(book.sections())}
    for section in book.sections():
        for cell in section.code:
            if "raises-exception" in cell.tags:
                continue
            for name, line in uses_of_cell(cell.source).lines.items():
                where = cell.location.down(line - 1)
                defined = _definition_of(name, gathered)
                if defined is None:
                    _check_prefixed(name, where, gathered, problems)
                    continue
                later = (places[defined.section.path], defined.location.line) > (places[section.path], where.line)
                if later and not defined.section.in_appendix:
                    message = f"`d2l.{name}` is used before it is defined at {defined.location}"
                    problems.append(Problem(where, "use-before-definition", message))


def _definition_of(name: str, gathered: Gathered) -> SavedBlock | None:
    """The block that first defines a name."""
    if name in gathered.by_name:
        entry = gathered.by_name[name]
        return entry.replaced[0] if entry.replaced else entry.block
    return gathered.imports[name][0].block if name in gathered.imports else None


def _check_prefixed(name: str, where: Location, gathered: Gathered, problems: list[Problem]) -> None:
    if any(name in names for names in (gathered.by_name, gathered.imports, gathered.modules, IMPORT_ATTRIBUTES)):
        return
    if not any(problem.location == where and f"`{name}`" in problem.message for problem in problems):
        # Else it has been told, as that of an extension of an unknown class.
        known = gathered.by_name.keys() | gathered.imports.keys()
        message = f"the library has no `d2l.{name}`{hint(name, known) if known else ''}"
        problems.append(Problem(where, "undefined-name", message))


def _check_bare(block: SavedBlock, entry: Entry, gathered: Gathered, problems: list[Problem]) -> None:
    """A bare name must be a saved import, a builtin or a definition of the module that the block ends up in."""
    for name in sorted(free_names(source_of(block.merged)) - {"d2l", "__class__"}):
        other = gathered.by_name.get(name)
        if name in BUILTINS:
            _check_builtin(name, block, entry, gathered, problems)
            continue
        if name in gathered.imports or (other and other.module == entry.module):
            continue
        if other:
            message = f"`{name}` is defined in another chapter, at {other.block.location}; write `d2l.{name}`"
        else:
            known = [*gathered.imports, *(each for each in gathered.by_name)]
            message = f"`{name}` is neither a saved import nor a saved definition{hint(name, known)}"
        problems.append(Problem(_line_of(block, name), "undefined-name", message))


def _check_builtin(name: str, block: SavedBlock, entry: Entry, gathered: Gathered, problems: list[Problem]) -> None:
    """A builtin's name that the library saves must mean the same in the block's section as in the library's module."""
    homes = [(each.block.section.path, each.module) for each in gathered.imports.get(name, [])]
    if name in gathered.by_name:
        saved = gathered.by_name[name]
        homes += [(each.section.path, saved.module) for each in (saved.block, *saved.replaced)]
    in_section = any(path == block.section.path for path, _ in homes)
    in_module = any(module == entry.module for _, module in homes)
    if in_section != in_module:
        own, there = ("the library's", "Python's") if in_section else ("Python's", "the library's")
        message = f"`{name}` is {own} here but {there} in `d2l.torch.{entry.module}`; write `d2l.{name}` or rename it"
        problems.append(Problem(_line_of(block, name), "builtin-name", message))


def _line_of(block: SavedBlock, name: str) -> Location:
    for node in ast.walk(block.statement):
        if isinstance(node, ast.Name) and node.id == name:
            return block.location.down(node.lineno - 1)
    return block.location
