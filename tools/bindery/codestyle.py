"""Rules on code: its form, the names that it uses of other sections, what it saves; and the settings of a section."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from bindery.cellcode import magic_code, parse_cell
from bindery.library import Library
from bindery.model import Cell, Edit, Location
from bindery.parse import Block
from bindery.rules import Page, Piece, Rules, is_json
from bindery.saved import DEFINITIONS, IMPORTS
from bindery.symbols import BUILTINS, source_of, uses_of_cells

IN_KERNELS = {"get_ipython", "display", "In", "Out", "exit", "quit"}
"""What every kernel has defined."""
KERNEL = "kernelspec: {name: python3}\n"


def check_form(rules: Rules, page: Page) -> None:
    """Lines that are too wide, imports that come late, and names that the book does not use."""
    width = rules.style.code_width
    for piece, cell in _cells(page):
        for number, line in enumerate(cell.source.split("\n")):
            if width and len(line) > width:
                message = f"a line of {len(line)} characters, where {width} is the most"
                rules.tell(cell.location.down(number), "code-width", message, piece.allowed)
        for pattern, instead in rules.style.names.items():
            for name, where in _bound(cell).items():
                if re.fullmatch(pattern, name):
                    rules.tell(where, "name", f"`{name}`: {instead}", piece.allowed)
    if rules.style.imports_first:
        _imports(rules, page)


def _imports(rules: Rules, page: Page) -> None:
    """Imports after the first cells; a solution may begin anew, and a claim import what only it needs."""
    seen = late = solving = False
    for piece in page.pieces:
        content = piece.content
        if isinstance(content, Block):
            solving = content.name == "solution-start" or (solving and content.name != "solution-end")
            continue
        statements = _parsed(content.source).body
        late = late or (seen and not all(isinstance(statement, IMPORTS) for statement in statements))
        seen = True
        for statement in statements if late and not solving and "claim" not in content.tags else ():
            if isinstance(statement, IMPORTS):
                where = content.location.down(statement.lineno - 1)
                message = f"`{source_of(statement)}` stands after the first cell: move it there"
                rules.tell(where, "imports-first", message, piece.allowed)


def check_front_matter(rules: Rules, page: Page) -> None:
    """What the settings of a section lack, and settings that do nothing."""
    section = page.section
    if is_json(page.top):
        return  # a notebook says itself what it is
    top = Location(section.path, 1)
    if section.code and "kernelspec" not in section.front_matter:
        edit = None
        if section.front_matter:
            edit = Edit(top.down(1), 0, KERNEL)
        elif section.cells[0].location == top:
            edit = Edit(top, 0, f"---\n{KERNEL}---\n")
        message = "the front matter names no kernel, such as `kernelspec: {name: python3}`"
        rules.tell(top, "front-matter", message, page.allowed, edit)
    elif section.settings.model_fields_set and not section.code:
        names = ", ".join(f"`{name}`" for name in sorted(section.settings.model_fields_set))
        rules.tell(top, "front-matter", f"this page has no code, so {names} does nothing", page.allowed)


def check_names(rules: Rules, pages: Iterable[Page], library: Library) -> None:
    """Names that a section takes from another without its having saved them, and saved names that nobody takes."""
    pages = list(pages)
    before: dict[str, Location] = {}
    users: dict[str, set[str]] = {}
    for page in pages:
        _unsaved(rules, page, before, library)
        for _, cell in _cells(page):
            for name, where in _bound(cell, inner=False).items():
                before.setdefault(name, where)
        for name in uses_of_cells(cell.source for cell in page.section.code).names:
            users.setdefault(name, set()).add(page.section.path)
    if rules.style.saved_used:
        _unused(rules, pages, users, library)


def _unsaved(rules: Rules, page: Page, before: Mapping[str, Location], library: Library) -> None:
    """Names that a page takes from the pages before it; names that the library lacks, tangling tells."""
    ready = BUILTINS | IN_KERNELS | {name for _, cell in _cells(page) for name in _bound(cell)}
    for piece, cell in _cells(page):
        told: set[str] = set()
        for tree, above in _trees(cell) if "raises-exception" not in cell.tags else ():
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id in before and node.id not in ready | told:
                    mend = "write" if node.id in library.definitions else "save it there and write"
                    message = f"`{node.id}` is defined at {before[node.id]}, which runs alone: {mend} `d2l.{node.id}`"
                    told.add(node.id)
                    rules.tell(cell.location.down(node.lineno - 1 + above), "unsaved-name", message, piece.allowed)


def _unused(rules: Rules, pages: Iterable[Page], users: Mapping[str, set[str]], library: Library) -> None:
    """Definitions that no section but their own and no other saved code uses."""
    by_path = {page.section.path: page for page in pages}
    definitions = {definition.names: definition for definition in library.definitions.values()}.values()
    inside = {name for definition in definitions for name in definition.uses - {*definition.names}}
    for definition in definitions:
        block, names = definition.block, definition.names
        elsewhere = {path for name in names for path in users.get(name, ())} - {block.section.path}
        if block.kind != "import" and not elsewhere and not inside & {*names}:
            message = f"`{', '.join(names)}` is saved, but no other section and no other saved code uses it"
            allowed = by_path[block.section.path].allowed_at(block.location)
            rules.tell(block.location, "unused-save", message, allowed)


def _cells(page: Page) -> Iterator[tuple[Piece, Cell]]:
    return ((piece, piece.content) for piece in page.pieces if isinstance(piece.content, Cell))


def _trees(cell: Cell) -> Iterator[tuple[ast.Module, int]]:
    """The syntax trees of a cell and of the Python in its magics, each with the number of lines above it."""
    tree = _parsed(cell.source)
    yield tree, 0
    for node in ast.walk(tree):
        texts, _ = (isinstance(node, ast.Call) and magic_code(node)) or ([], "")
        yield from ((_parsed(text), node.lineno - 1 + above) for text, above in texts if isinstance(node, ast.Call))


def _parsed(source: str) -> ast.Module:
    """A syntax tree; of what is not Python, an empty one."""
    try:
        return parse_cell(source)
    except SyntaxError:
        return ast.Module([], [])


def _bound(cell: Cell, inner: bool = True) -> dict[str, Location]:
    """The names that a cell gives to something, each where it does so first; `inner`: also inside functions."""
    found: dict[str, Location] = {}
    for tree, above in _trees(cell):
        for node in ast.walk(tree) if inner else _outermost(tree):
            for name in _names_of(node):
                found.setdefault(name, cell.location.down(getattr(node, "lineno", 1) - 1 + above))
    return found


def _outermost(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes under a node that are in no function, class or comprehension."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*DEFINITIONS, ast.Lambda, ast.comprehension)):
            yield from _outermost(child)


def _names_of(node: ast.AST) -> Iterator[str]:
    """The names that a node itself binds."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, DEFINITIONS):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.split(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
