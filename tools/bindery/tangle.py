"""Tangles the saved blocks of a book into its library: book in, `Library` out, or all problems. Pure."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files

from bindery.gather import Entry, Gathered, Import, gather
from bindery.imports import check_import_order, sort_by_import
from bindery.library import Definition, Library
from bindery.merge import Line, block_lines, merge_class
from bindery.model import Book, Location, Problem, ProblemsFound
from bindery.names import check_names
from bindery.saved import SavedBlock
from bindery.symbols import BUILTINS, free_names, global_names, runs_at_import, source_of, uses_of_tree

PACKAGE = "d2l/torch"
PREFIX_IMPORT = "from d2l import torch as d2l"


def tangle(book: Book) -> Library:
    """The library of a book; raises `ProblemsFound` with everything that is wrong."""
    gathered, problems = gather(book)
    merged = {id(entry): _entry_lines(entry, problems) for entry in gathered.entries}
    definitions = _definitions(gathered)
    check_names(book, gathered, problems)
    if not problems:
        statements = {id(entry): _statement(merged[id(entry)]) for entry in gathered.entries}
        ordered = {module: sort_by_import(module, gathered, statements) for module in gathered.modules}
        check_import_order(gathered, ordered, statements, problems)
    if problems:
        raise ProblemsFound(problems)
    modules = {module: _module_lines(module, entries, gathered, merged) for module, entries in ordered.items()}
    lines = {f"{PACKAGE}/{module}.py": tuple(each) for module, each in modules.items()}
    return Library(_files(book, gathered, modules), definitions, tuple(gathered.blocks), lines)


def _entry_lines(entry: Entry, problems: list[Problem]) -> list[Line]:
    if entry.extensions:
        return merge_class(entry.block, entry.extensions, problems)
    return block_lines(entry.block)


def _statement(lines: list[Line]) -> ast.stmt:
    return ast.parse("\n".join(line.text for line in lines)).body[0]


def parts_of(entry: Entry) -> list[SavedBlock]:
    """The blocks whose text stands in an entry's module."""
    return [entry.block, *entry.extensions]


def _definitions(gathered: Gathered) -> dict[str, Definition]:
    """The symbol graph's nodes by name: what each name is made of and what it uses."""
    found: dict[str, Definition] = {}
    saved = gathered.by_name.keys() | gathered.imports.keys()
    for entry in gathered.entries:
        if entry.block.names:
            blocks = [*parts_of(entry), *(item.block for item in entry.items)]
            trees = [block.merged for block in blocks]
            uses = [uses_of_tree(tree) for tree in trees]
            bare = {name for tree in trees for name in global_names(source_of(tree))}
            found |= dict.fromkeys(
                entry.block.names,
                Definition(
                    names=entry.block.names,
                    module=entry.module,
                    block=entry.block,
                    sources=tuple(block.source for block in blocks),
                    uses=frozenset().union(*(each.names for each in uses)) | (bare & saved),
                    whole=any(each.whole for each in uses),
                    at_import=any(runs_at_import(tree, saved) for tree in trees),
                    packages=frozenset().union(*(each.modules for each in uses)),
                ),
            )
    for name, imports in gathered.imports.items():
        sources = tuple(dict.fromkeys(each.source for each in imports))
        first = imports[0]
        packages = frozenset({first.target[0].split(".")[0]})
        found[name] = Definition((name,), first.module, first.block, sources, frozenset(), False, False, packages)
    return found


def _module_lines(module: str, entries: list[Entry], gathered: Gathered, merged: dict[int, list[Line]]) -> list[Line]:
    """The text of one module, line by line with its origins."""
    bodies = [merged[id(entry)] for entry in entries]
    text = "\n".join(line.text for body in bodies for line in body)
    own = _own_imports(module, gathered)
    own_names = {each.name for each in own}
    lines = [Line(f'"""{in_docstring(gathered.modules[module])}: the code saved there."""'), Line("")]
    prefixed = any(isinstance(node, ast.Name) and node.id == "d2l" for node in ast.walk(ast.parse(text)))
    if prefixed:
        lines += [Line(PREFIX_IMPORT), Line("")]
    wanted = [
        each for name in sorted(free_names(text) - own_names - BUILTINS) for each in gathered.imports.get(name, [])
    ]
    head = import_groups(each.source for each in wanted)
    lines += [Line(text) for text in head]
    lines += [Line("")] if head else []
    for block in [block for block in gathered.blocks if any(each.block is block for each in own)]:
        lines += [*block_lines(block), Line("")]
    names = [name for name in gathered.order if name in own_names or _module_of(name, gathered) == module]
    lines += [Line("__all__ = ["), *(Line(f'    "{name}",') for name in names), Line("]")]
    for body in bodies:
        lines += [Line(""), Line(""), *body]
    return lines


def _own_imports(module: str, gathered: Gathered) -> list[Import]:
    return [each for imports in gathered.imports.values() for each in imports if each.module == module]


def _module_of(name: str, gathered: Gathered) -> str:
    """The module from which the library takes a name."""
    if name in gathered.by_name:
        return gathered.by_name[name].module
    return gathered.imports[name][0].module


def import_groups(sources: Iterable[str]) -> list[str]:
    """Import statements as a person would order them: standard library, then packages; `import` before `from`."""
    plain: set[str] = set()
    members: dict[str, set[str]] = {}
    for source in sources:
        if source.startswith("from "):
            module, _, name = source.removeprefix("from ").partition(" import ")
            members.setdefault(module, set()).add(name)
        else:
            plain.add(source.removeprefix("import "))
    statements = [(name.split()[0], f"import {name}") for name in sorted(plain)]
    statements += [(module, f"from {module} import {', '.join(sorted(members[module]))}") for module in sorted(members)]
    standard = [text for module, text in statements if module.split(".")[0] in sys.stdlib_module_names]
    packages = [text for module, text in statements if module.split(".")[0] not in sys.stdlib_module_names]
    return [*standard, *([""] if standard and packages else []), *packages]


def _files(book: Book, gathered: Gathered, modules: dict[str, list[Line]]) -> dict[str, str]:
    """Every file of the library by its path."""
    title = in_docstring(book.facts.title)
    result = {
        "d2l/__init__.py": f'"""The library of *{title}*."""\n\n__version__ = "{book.facts.version}"\n',
        "d2l/py.typed": "",
        "d2l/origin.py": files("bindery").joinpath("resources/origin.py").read_text(encoding="utf-8"),
        f"{PACKAGE}/__init__.py": _init_text(book, gathered),
        f"{PACKAGE}/_origin.json": _origin_text(book, modules),
    }
    for module, lines in modules.items():
        result[f"{PACKAGE}/{module}.py"] = "\n".join(line.text for line in lines) + "\n"
    return result


def _init_text(book: Book, gathered: Gathered) -> str:
    """The package's module: finds names while chapters import each other, then re-exports all."""
    template = files("bindery").joinpath("resources/init.py.txt").read_text(encoding="utf-8")
    homes = "\n".join(f'        "{name}": "{_module_of(name, gathered)}",' for name in gathered.order)
    exports = []
    for module in gathered.modules:
        names = [name for name in gathered.order if _module_of(name, gathered) == module]
        if names:
            listed = "\n".join(f"    {name}," for name in names)
            exports.append(f"from d2l.torch.{module} import (\n{listed}\n)")
    everything = "\n".join(f'    "{name}",' for name in gathered.order)
    return (
        template.replace("@HOMES@", homes)
        .replace("@EXPORTS@", "\n".join(exports))
        .replace("@ALL@", everything)
        .replace("@TITLE@", in_docstring(book.facts.title))
    )


def in_docstring(title: str) -> str:
    """A title as it can stand on one line of a docstring, whatever TeX it holds."""
    return " ".join(title.split()).replace("\\", "\\\\").replace('"', '\\"')


def _origin_text(book: Book, modules: dict[str, list[Line]]) -> str:
    """The line map: runs `[first, last, chapter file, chapter line]` for each module, and the sections' names."""
    result: dict[str, object] = {f"{module}.py": list(_runs(lines)) for module, lines in modules.items()}
    result["sections"] = {section.path: [section.heading, section.title] for section in book.sections()}
    result["url"] = book.facts.url
    return json.dumps(result, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _runs(lines: list[Line]) -> Iterator[list[int | str]]:
    first: tuple[int, Location] | None = None
    previous: Location | None = None
    for number, line in enumerate([*lines, Line("")], 1):
        if first and (line.origin is None or previous is None or line.origin != previous.down(1)):
            yield [first[0], number - 1, first[1].path, first[1].line]
            first = None
        if line.origin and not first:
            first = (number, line.origin)
        previous = line.origin
