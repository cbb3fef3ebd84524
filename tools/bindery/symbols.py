"""What code uses: syntax trees in, names of the library, free names and imported modules out."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from bindery.cellcode import magic_code, parse_cell
from bindery.saved import DEFINITIONS, plain_name

BUILTINS = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__spec__", "__package__"}
COMPREHENSIONS = ("genexpr", "listcomp", "setcomp", "dictcomp")
"""What symtable calls the scopes, other than class bodies, that run where they stand."""
MENTION = re.compile(r"\bd2l\b(?!-\w)")
"""In a text; what reads `d2l-data` is part of an address, since nothing can be subtracted from a module."""
USES_SOMETHING = re.compile(r"d2l|import")
"""What stands in every cell that uses the library or a package; most cells need not be taken apart."""


@dataclass(frozen=True)
class Uses:
    """What a piece of code uses of the library and of other packages."""

    names: frozenset[str] = frozenset()
    lines: dict[str, int] = field(default_factory=dict, compare=False)
    """The first line on which each name stands."""
    whole: bool = False
    """The library occurs in a way that could reach any of its names."""
    imports: bool = False
    modules: frozenset[str] = frozenset()
    """Top-level modules imported, the library left out."""


def uses_of_cells(sources: Iterable[str]) -> Uses:
    """What a section's code cells use together."""
    merged = Uses()
    for source in sources:
        merged = _join(merged, uses_of_cell(source))
    return merged


@cache
def uses_of_cell(source: str) -> Uses:
    """What one cell uses; a cell that is not Python counts as using all if it names the library."""
    if not USES_SOMETHING.search(source):
        return Uses()
    try:
        return uses_of_tree(parse_cell(source))
    except SyntaxError:
        mentioned = bool(MENTION.search(source))
        return Uses(whole=mentioned, imports=mentioned)


@cache
def uses_of_tree(tree: ast.AST) -> Uses:
    """What a syntax tree uses, magics that hold Python included."""
    names: dict[str, int] = {}
    modules: set[str] = set()
    whole = imports = False
    inner = Uses()
    settled: set[int] = set()
    for node in ast.walk(tree):
        if id(node) in settled:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                if top == "d2l":
                    imports = whole = True
                else:
                    modules.add(top)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            if module == "d2l":
                imports = True
                whole = whole or any(alias.name != "torch" or alias.asname != "d2l" for alias in node.names)
            elif module == "d2l.torch":
                imports = True
                whole = whole or any(alias.name == "*" for alias in node.names)
                for alias in node.names:
                    if alias.name != "*":
                        names[alias.name] = min(node.lineno, names.get(alias.name, node.lineno))
            elif module.startswith("d2l."):
                imports = whole = True
            else:
                modules.add(module.split(".")[0])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "d2l":
            names[node.attr] = min(node.lineno, names.get(node.attr, node.lineno))
            settled.add(id(node.value))
        elif isinstance(node, ast.Name) and node.id == "d2l":
            whole = True
        elif isinstance(node, ast.Expr) and _is_text(node.value):
            settled.add(id(node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            whole = whole or bool(MENTION.search(text))
        elif isinstance(node, ast.Call) and (code := magic_code(node)) is not None:
            settled |= {id(arg) for arg in node.args if isinstance(arg, ast.Constant)}
            python, rest = code
            whole = whole or bool(MENTION.search(rest))
            for text, above in python:
                found = uses_of_cell(text)
                lines = {name: line + node.lineno - 1 + above for name, line in found.lines.items()}
                inner = _join(inner, replace(found, lines=lines))
    outer = Uses(frozenset(names), names, whole, imports or whole, frozenset(modules))
    return _join(outer, inner)


def _is_text(node: ast.expr) -> bool:
    """A string standing alone, such as a docstring: it does nothing."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _join(a: Uses, b: Uses) -> Uses:
    return Uses(
        a.names | b.names,
        {name: min(each.lines[name] for each in (a, b) if name in each.lines) for name in a.names | b.names},
        a.whole or b.whole,
        a.imports or b.imports,
        a.modules | b.modules,
    )


@cache
def source_of(tree: ast.AST) -> str:
    """A syntax tree as Python text."""
    return ast.unparse(tree)


@cache
def _symbols(source: str) -> symtable.SymbolTable:
    return symtable.symtable(source, "<saved>", "exec")


def free_names(source: str) -> frozenset[str]:
    """The names that a module of this source takes from outside it (globals it reads but never binds)."""
    table = _symbols(source)
    bound = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    read: set[str] = set()
    for scope in _scopes(table):
        for symbol in scope.get_symbols():
            at_module = scope is table or symbol.is_global()
            if at_module and symbol.is_referenced():
                read.add(symbol.get_name())
            if scope is not table and symbol.is_declared_global() and symbol.is_assigned():
                bound.add(symbol.get_name())
    return frozenset(read - bound)


def global_names(source: str) -> frozenset[str]:
    """The names that code may read or change in the module that holds it, its own included."""
    names: set[str] = set()
    for scope in _scopes(_symbols(source)):
        for symbol in scope.get_symbols():
            # A class body may read a global before it binds the same name, as in `rate = rate`.
            in_class = scope.get_type() == "class" and symbol.is_referenced()
            if scope.get_type() == "module" or symbol.is_global() or in_class:
                names.add(symbol.get_name())
    return frozenset(names)


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def import_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and the nodes under it that importing evaluates: no bodies of functions or lambdas."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        parts: list[ast.AST | None] = [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]
        parts += annotations_of(node)
    elif isinstance(node, ast.Lambda):
        parts = [*node.args.defaults, *node.args.kw_defaults]
    else:
        parts = list(ast.iter_child_nodes(node))
    for part in parts:
        if part is not None:
            yield from import_time_nodes(part)


def annotations_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """The annotations of a function's arguments and of what it returns."""
    single = [function.args.vararg, function.args.kwarg]
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs, *single]
    found = [argument.annotation for argument in every if argument] + [function.returns]
    return [annotation for annotation in found if annotation]


@cache
def import_time_uses(statement: ast.AST) -> frozenset[str]:
    """Names, bare or with the library's prefix, that importing the statement evaluates."""
    names = set()
    for node in import_time_nodes(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "d2l":
            names.add(node.attr)
    waiting = [_symbols(source_of(statement))]
    while waiting:
        scope = waiting.pop()
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and (scope.get_type() == "module" or symbol.is_global()):
                names.add(symbol.get_name())
        waiting += [
            child for child in scope.get_children() if child.get_type() == "class" or child.get_name() in COMPREHENSIONS
        ]
    return frozenset(names - {"d2l"})


def called_at_import(statement: ast.AST) -> list[str]:
    """Names, bare or with the library's prefix, of what importing the statement calls or decorates with."""
    called: list[ast.expr] = []
    for node in import_time_nodes(statement):
        called += [node.func] if isinstance(node, ast.Call) else []
        called += node.decorator_list if isinstance(node, DEFINITIONS) else []
    return sorted({name for name in map(plain_name, called) if name})


def runs_at_import(statement: ast.AST, saved: Container[str]) -> bool:
    """Whether importing the statement calls anything but builtins (decorators and metaclasses are calls)."""
    for node in import_time_nodes(statement):
        if isinstance(node, ast.Call) and not _is_builtin(node.func, saved):
            return True
        if isinstance(node, ast.ClassDef) and node.keywords:
            return True
        decorators = node.decorator_list if isinstance(node, DEFINITIONS) else []
        if not all(_is_builtin(decorator, saved) or _is_accessor(decorator) for decorator in decorators):
            return True
    return False


def _is_builtin(function: ast.expr, saved: Container[str]) -> bool:
    return isinstance(function, ast.Name) and function.id in BUILTINS and function.id not in saved


def _is_accessor(decorator: ast.expr) -> bool:
    """`@x.setter` and its like, which belong to a property of the same class."""
    return isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "getter", "deleter")
