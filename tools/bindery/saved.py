"""Finds the blocks marked `#@save` in a section: section in, saved blocks and problems out."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bindery.cellcode import parse_cell, to_python
from bindery.marks import LIKE_A_MARK, MARK, Mark, find_marks
from bindery.model import Cell, Location, Problem, Section

Kind = Literal["import", "assignment", "definition", "item", "extension"]
IMPORTS = (ast.Import, ast.ImportFrom)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class SavedBlock:
    """The exact text of one marked statement, without its mark; `of` is what an item or extension belongs to."""

    kind: Kind
    names: tuple[str, ...]
    source: str
    section: Section
    cell: Cell
    location: Location
    of: str = ""
    override: bool = False

    @cached_property
    def statement(self) -> ast.stmt:
        """The statement's syntax tree."""
        return ast.parse(self.source).body[0]

    @cached_property
    def merged(self) -> ast.stmt:
        """The statement as the library holds it: an extension without its `add_to_class` decorator."""
        statement = ast.parse(self.source).body[0]
        if self.kind == "extension" and isinstance(statement, DEFINITIONS):
            statement.decorator_list = statement.decorator_list[1:]
        return statement


def find_saved(section: Section) -> tuple[list[SavedBlock], list[Problem]]:
    """The section's saved blocks in order."""
    blocks: list[SavedBlock] = []
    problems: list[Problem] = []
    for cell in section.code:
        if LIKE_A_MARK.search(cell.source):
            _find_in_cell(section, cell, blocks, problems)
    return blocks, problems


def _find_in_cell(section: Section, cell: Cell, blocks: list[SavedBlock], problems: list[Problem]) -> None:
    try:
        statements = parse_cell(cell.source).body
    except SyntaxError as error:
        where = cell.location.down((error.lineno or 1) - 1)
        problems.append(Problem(where, "syntax-error", f"this cell has a saved block but is not Python: {error.msg}"))
        return
    python = to_python(cell.source)
    lines = cell.source.split("\n")
    if cell.source.lstrip().startswith("%%"):
        inside = [number for number, line in enumerate(lines) if MARK.search(line)]
        message = "a cell magic runs the whole cell elsewhere, so nothing in it can be saved; split the cell"
        problems += [Problem(cell.location.down(number), "save-mark", message) for number in inside]
        return
    for number, (line, shown) in enumerate(zip(lines, python.split("\n"), strict=False)):
        if line != shown and MARK.search(line):
            problems.append(
                Problem(cell.location.down(number), "save-mark", "a saved block holds no magics or shell lines")
            )
    marks = find_marks(cell, python, problems)
    unused = {mark.line: mark for mark in marks}
    for index, statement in enumerate(statements):
        first = first_line(statement)
        mark = next((unused[line] for line in range(first, statement.lineno + 1) if _ends(unused, line)), None)
        if not mark and first - 1 in unused and unused[first - 1].alone:
            mark = unused[first - 1]
        if not mark:
            continue
        del unused[mark.line]
        run = _import_run(statements, index) if mark.alone else [statement]
        for member in run:
            own = unused.pop(first_line(member), mark)  # it may have a mark of its own, too
            start, end = first_line(member), member.end_lineno or member.lineno
            where = cell.location.down(start - 1)
            others = [other for other in statements if other is not member]
            if any(first_line(other) <= end and (other.end_lineno or 0) >= start for other in others):
                problems.append(Problem(where, "save-mark", "two statements on one line; give each its own line"))
            elif python.split("\n")[start - 1 : end] != lines[start - 1 : end]:
                problems.append(Problem(where, "save-mark", "a saved block holds no magics or shell lines"))
            else:
                source = _without_mark(lines[start - 1 : end], own, start)
                _add_block(section, cell, source, member, where, mark.override, blocks, problems)
    for mark in unused.values():
        message = "this mark saves nothing: put it on a top-level statement's first line or alone on the line above it"
        problems.append(Problem(cell.location.down(mark.line - 1), "save-mark", message))


def _ends(marks: dict[int, Mark], line: int) -> bool:
    return line in marks and not marks[line].alone


def first_line(statement: ast.stmt) -> int:
    """The line of the statement's first decorator, or its own."""
    decorators = statement.decorator_list if isinstance(statement, DEFINITIONS) else []
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _import_run(statements: list[ast.stmt], index: int) -> list[ast.stmt]:
    """The statement, and if it is an import those that follow it without a blank line."""
    run = [statements[index]]
    for following in statements[index + 1 :]:
        adjacent = following.lineno == (run[-1].end_lineno or 0) + 1
        if not (isinstance(run[-1], IMPORTS) and isinstance(following, IMPORTS) and adjacent):
            break
        run.append(following)
    return run


def _without_mark(lines: list[str], mark: Mark, start: int) -> str:
    if not mark.alone:
        at = mark.line - start
        lines = [*lines[:at], lines[at][: mark.column].rstrip(), *lines[at + 1 :]]
    return "\n".join(lines)


def _add_block(
    section: Section,
    cell: Cell,
    source: str,
    statement: ast.stmt,
    where: Location,
    override: bool,
    blocks: list[SavedBlock],
    problems: list[Problem],
) -> None:
    """Tell what kind of block a marked statement is."""
    message = ""
    block: SavedBlock | None = None
    if isinstance(statement, IMPORTS):
        message = _import_fault(statement)
        names = tuple(alias.asname or alias.name.split(".")[0] for alias in statement.names)
        block = SavedBlock("import", names, source, section, cell, where)
    elif isinstance(statement, DEFINITIONS):
        targets = [_extended_class(decorator) for decorator in statement.decorator_list]
        if any(targets[1:]):
            message = "`add_to_class` must be the first decorator of a saved extension"
        elif any(targets):
            block = SavedBlock("extension", (statement.name,), source, section, cell, where, targets[0] or "", override)
        else:
            block = SavedBlock("definition", (statement.name,), source, section, cell, where, "", override)
        if override and isinstance(statement, ast.ClassDef):
            message = "`#@save override` replaces functions and methods only, not classes"
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        names = assigned_names(statement)
        of = _item_of(statement)
        if names:
            block = SavedBlock("assignment", names, source, section, cell, where)
        elif of:
            block = SavedBlock("item", (), source, section, cell, where, of)
        else:
            message = "only assignments to plain names, or to an item of a saved name, can be saved"
    else:
        message = "only imports, assignments, functions and classes can be saved"
    if override and not message and not isinstance(statement, DEFINITIONS):
        message = "`#@save override` replaces functions and methods only"
    fault = _compile_fault(source)
    if message:
        problems.append(Problem(where, "save-kind", message))
    elif fault:
        problems.append(
            Problem(where.down((fault.lineno or 1) - 1), "syntax-error", f"no module can hold this: {fault.msg}")
        )
    elif block:
        blocks.append(block)


def _compile_fault(source: str) -> SyntaxError | None:
    """What stops Python from compiling a statement that it can parse, such as `break` outside a loop."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<saved>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    return None


def _import_fault(statement: ast.Import | ast.ImportFrom) -> str:
    if isinstance(statement, ast.ImportFrom):
        if statement.module == "__future__":
            return "a `__future__` import cannot be saved"
        if statement.level:
            return "a relative import cannot be saved"
        if any(alias.name == "*" for alias in statement.names):
            return "`import *` cannot be saved; name what is imported"
    modules = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else [a.name for a in statement.names]
    if any(module.split(".")[0] == "d2l" for module in modules):
        return "the library's own import cannot be saved; bindery adds it where it is needed"
    return ""


def _extended_class(decorator: ast.expr) -> str | None:
    """`C` of `@d2l.add_to_class(d2l.C)`, prefixes or not."""
    if isinstance(decorator, ast.Call) and len(decorator.args) == 1 and not decorator.keywords:
        function, argument = decorator.func, decorator.args[0]
        if plain_name(function) == "add_to_class":
            return plain_name(argument)
    return None


def plain_name(node: ast.expr) -> str | None:
    """`NAME` of `NAME` or `d2l.NAME`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "d2l":
        return node.attr
    return None


def assigned_names(statement: ast.Assign | ast.AnnAssign) -> tuple[str, ...]:
    """The plain names that an assignment binds; none if it binds anything else."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names: list[str] = []
    for target in targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        for part in parts:
            if not isinstance(part, ast.Name):
                return ()
            names.append(part.id)
    if isinstance(statement, ast.AnnAssign) and statement.value is None:
        return ()
    return tuple(dict.fromkeys(names))


def _item_of(statement: ast.Assign | ast.AnnAssign) -> str:
    """`NAME` of `NAME[…] = …` or `d2l.NAME[…] = …`."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Subscript):
            return plain_name(target.value) or ""
    return ""
