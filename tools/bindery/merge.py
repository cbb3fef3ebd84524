"""Merges extensions into the class they extend: saved blocks in, lines with their origins out."""

from __future__ import annotations

import ast
import io
import symtable
import tokenize
from dataclasses import dataclass, field, replace

from bindery.model import Location, Problem
from bindery.saved import SavedBlock
from bindery.symbols import annotations_of, import_time_nodes

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
STRING_STARTS = {getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START")} - {-1}
STRING_ENDS = {getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END")} - {-1}
MADE_WITH_THE_CLASS = ("__init_subclass__", "__class_getitem__")
"""Methods that become class methods, as `__eq__` takes away the hash, in a class's body but not when set later."""


@dataclass(frozen=True)
class Line:
    """A line of a library module, and the saved block it was copied from or, as a comment of origin, tells of."""

    text: str
    block: SavedBlock | None = field(default=None, repr=False)
    number: int | None = None
    """Which of the block's lines it is, from 0; None for a line that bindery wrote."""

    @property
    def origin(self) -> Location | None:
        """The chapter line it was copied from."""
        return self.block.location.down(self.number) if self.block and self.number is not None else None

    @property
    def tells_origin(self) -> bool:
        """Whether it is the comment that tells where the block below it comes from."""
        return self.block is not None and self.number is None


def block_lines(block: SavedBlock) -> list[Line]:
    """The block's own lines, with the comment that tells its origin."""
    return [origin_comment(block), *_source_lines(block)]


def origin_comment(block: SavedBlock, indent: str = "") -> Line:
    """`# chapters/gan/gan.md:112, Section 9.1`."""
    return Line(f"{indent}# {block.location}, {block.section.heading}", block)


def _source_lines(block: SavedBlock) -> list[Line]:
    return [Line(text, block, number) for number, text in enumerate(block.source.split("\n"))]


def merge_class(block: SavedBlock, extensions: list[SavedBlock], problems: list[Problem]) -> list[Line]:
    """The class with its extensions in its body: placeholders replaced where they stand, the rest added at the end."""
    lines = _source_lines(block)
    statement = block.statement
    if not isinstance(statement, ast.ClassDef) or not extensions:
        return [origin_comment(block), *lines]
    lines = _open_body(statement, lines)
    statement = _parse(lines)
    indent = lines[statement.body[0].lineno - 1].text[: statement.body[0].col_offset]
    for extension in extensions:
        found = check_extension(extension, statement)
        problems += found
        if not found:
            lines = _insert(lines, statement, extension, indent, problems)
            statement = _parse(lines)
    return [origin_comment(block), *lines]


def _parse(lines: list[Line]) -> ast.ClassDef:
    statement = ast.parse("\n".join(line.text for line in lines)).body[0]
    assert isinstance(statement, ast.ClassDef)  # a merge only adds to or replaces in the class's body
    return statement


def _open_body(statement: ast.ClassDef, lines: list[Line]) -> list[Line]:
    """Put a body that stands on the line of `class C:` on a line of its own."""
    first = statement.body[0]
    line = lines[first.lineno - 1]
    head = line.text.encode()[: first.col_offset].decode()
    if not head.strip():
        return lines
    body = "    " + line.text[len(head) :]
    opened = [replace(line, text=head.rstrip()), replace(line, text=body)]
    return [*lines[: first.lineno - 1], *opened, *lines[first.lineno :]]


def check_extension(extension: SavedBlock, target: ast.ClassDef) -> list[Problem]:
    """What would mean something else in the class than in the section."""
    function = extension.statement
    name = extension.names[0]
    faults = []
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            faults.append("`super()` without arguments; write `super(C, self)`")
        for identifier in _identifiers(node):
            if identifier == "__class__":
                faults.append("`__class__`")
            elif identifier.startswith("__") and not identifier.endswith("__"):
                faults.append(f"the private name `{identifier}`")
    bound = _bound_in(target)
    if name in MADE_WITH_THE_CLASS or (name == "__eq__" and "__hash__" not in bound):
        faults.append("a name that class bodies treat in a way of their own")
    for part in _evaluated_in_class(function):
        for node in import_time_nodes(part):
            if isinstance(node, ast.Name) and node.id in bound:
                faults.append(f"`{node.id}`, which the class body binds, outside the function's body")
    return [
        Problem(extension.location, "extension", f"`{name}` uses {fault}: it would mean something else in the class")
        for fault in dict.fromkeys(faults)
    ]


def _identifiers(node: ast.AST) -> list[str]:
    """The identifiers of a node that a class would mangle."""
    names: list[str | None] = []
    if isinstance(node, ast.Name):
        names = [node.id]
    elif isinstance(node, ast.Attribute):
        names = [node.attr]
    elif isinstance(node, ast.arg | ast.keyword):
        names = [node.arg]
    elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        names = [node.name]
    elif isinstance(node, ast.alias):
        names = [node.asname or node.name.split(".")[0]]
    elif isinstance(node, ast.Global | ast.Nonlocal):
        names = list(node.names)
    return [name for name in names if name]


def _evaluated_in_class(function: ast.stmt) -> list[ast.AST]:
    """The parts of an extension that the class body would evaluate, its `add_to_class` decorator left out."""
    decorators = getattr(function, "decorator_list", [])
    if isinstance(function, FUNCTIONS):
        parts = [*function.args.defaults, *function.args.kw_defaults, *annotations_of(function)]
        return [*decorators[1:], *(part for part in parts if part)]
    return [node for node in ast.iter_child_nodes(function) if node is not decorators[0]]


def _bound_in(target: ast.ClassDef) -> set[str]:
    """The names that the class body binds."""
    table = symtable.symtable(ast.unparse(target), "<class>", "exec")
    scope = next(child for child in table.get_children() if child.get_type() == "class")
    return {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def _insert(
    lines: list[Line], target: ast.ClassDef, extension: SavedBlock, indent: str, problems: list[Problem]
) -> list[Line]:
    """The class's lines with one extension more."""
    added = [origin_comment(extension, indent), *_indented(extension, indent)]
    name = extension.names[0]
    same = [node for node in target.body if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name == name]
    where = f"`{target.name}.{name}`"
    message = ""
    if name not in _bound_in(target):
        if extension.override:
            message = f"{where} does not exist yet, so there is nothing to override; write `#@save`"
        else:
            return [*lines, Line(""), *added]
    elif len(same) != 1 or not isinstance(same[0], FUNCTIONS):
        message = f"{where} is not one method, so an extension cannot replace it"
    elif not is_placeholder(same[0]) and not extension.override:
        message = f"{where} already has a body; write `#@save override` to replace it"
    if message:
        problems.append(Problem(extension.location, "override", message))
        return lines
    old = same[0]
    first = min([old.lineno, *(decorator.lineno for decorator in old.decorator_list)]) - 1
    if first and lines[first - 1].tells_origin:
        first -= 1  # the origin comment of an extension that this one replaces
    return [*lines[:first], *added, *lines[old.end_lineno :]]


def is_placeholder(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a body is an optional docstring, then nothing, `pass`, `...` or `raise NotImplementedError[(…)]`."""
    body = function.body
    if (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        body = body[1:]
    if not body:
        return True
    if len(body) > 1:
        return False
    only = body[0]
    if isinstance(only, ast.Raise):
        raised = only.exc.func if isinstance(only.exc, ast.Call) else only.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    ellipsis = isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant) and only.value.value is ...
    return isinstance(only, ast.Pass) or ellipsis


def _indented(extension: SavedBlock, indent: str) -> list[Line]:
    """The extension's lines without its `add_to_class` decorator, indented except inside strings."""
    decorator = getattr(extension.statement, "decorator_list")[0]  # noqa: B009 - every extension has one
    texts = extension.source.split("\n")
    inside = lines_inside_strings(extension.source)
    result = []
    for number, text in enumerate(texts, 1):
        if decorator.lineno <= number <= (decorator.end_lineno or 0):
            continue
        prefix = indent if text.strip() and number not in inside else ""
        # A form feed, which may begin a line, would make Python forget the indentation before it.
        text = prefix + text.lstrip("\f") if prefix else text
        result.append(Line(text, extension, number - 1))
    return result


def lines_inside_strings(source: str) -> set[int]:
    """The lines that begin inside a string literal: indenting them would change the string."""
    inside: set[int] = set()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source + "\n").readline):
        if token.type == tokenize.STRING:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif token.type in STRING_STARTS:
            opened.append(token.start[0])
        elif token.type in STRING_ENDS:
            inside.update(range(opened.pop() + 1, token.end[0] + 1))
    return inside
