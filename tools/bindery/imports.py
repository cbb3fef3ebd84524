"""In which order the library's definitions can be imported: gathered blocks in, order and problems out."""

from __future__ import annotations

import ast

from bindery.gather import Entry, Gathered
from bindery.model import Problem
from bindery.saved import SavedBlock
from bindery.symbols import called_at_import, import_time_uses, runs_at_import, uses_of_tree

Statements = dict[int, ast.stmt]


def sort_by_import(module: str, gathered: Gathered, statements: Statements) -> list[Entry]:
    """A module's entries in book order, except that what importing an entry needs comes first."""
    ordered: list[Entry] = []
    path: list[Entry] = []

    def visit(entry: Entry) -> None:
        if entry in ordered or entry in path:
            return
        path.append(entry)
        for needed in [*_needed(entry, gathered, statements), *_called(entry, gathered, statements)]:
            if needed.module == module:
                visit(needed)
        path.pop()
        ordered.append(entry)

    for entry in gathered.entries:
        if entry.module == module:
            visit(entry)
    return ordered


def _needed(entry: Entry, gathered: Gathered, statements: Statements) -> list[Entry]:
    """The entries that importing an entry evaluates, with the items that they had by then."""
    names = import_time_uses(statements[id(entry)])
    found = [gathered.by_name[name] for name in sorted(names) if name in gathered.by_name]
    items = [item for each in found for item in each.items if item.place < entry.place]
    return [each for each in [*found, *items] if each is not entry]


def _called(entry: Entry, gathered: Gathered, statements: Statements) -> list[Entry]:
    """If importing an entry calls something, all that the bodies of what it calls may use."""
    if not runs_at_import(statements[id(entry)], gathered.by_name):
        return []
    return _reached(_needed(entry, gathered, statements), entry, gathered, statements)


def _reached(waiting: list[Entry], entry: Entry, gathered: Gathered, statements: Statements) -> list[Entry]:
    """What is waiting and all that its code, bodies included, may use; `entry` may be among that, its own uses not."""
    reached: list[Entry] = []
    while waiting:
        each = waiting.pop(0)
        if each in reached:
            continue
        reached.append(each)
        if each is entry:
            continue
        statement = statements[id(each)]
        bare = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        names = sorted(uses_of_tree(statement).names | bare)
        waiting += [gathered.by_name[name] for name in names if name in gathered.by_name]
    return reached


def _needs_itself(block: SavedBlock, entry: Entry, gathered: Gathered, statements: Statements) -> bool:
    """Whether importing a part of an entry evaluates the entry's own names, or calls what may use them."""
    if not import_time_uses(block.merged).isdisjoint(entry.block.names):
        return True
    if block is entry.block:
        return False  # what it calls has run in the section, so it can do without
    called = [gathered.by_name[name] for name in called_at_import(block.merged) if name in gathered.by_name]
    return entry in _reached(called, entry, gathered, statements)


def check_import_order(
    gathered: Gathered, ordered: dict[str, list[Entry]], statements: Statements, problems: list[Problem]
) -> None:
    """Play the import of the library through; a name that is needed before its module could define it is a problem."""
    for entry in gathered.entries:
        for block in (entry.block, *entry.extensions):
            if _needs_itself(block, entry, gathered, statements):
                message = f"importing this needs `{entry.block.names[0]}`, which is not complete without it"
                problems.append(Problem(block.location, "import-cycle", message))
    defined: set[int] = set()
    loading: list[str] = []

    def load(module: str) -> None:
        loading.append(module)
        for entry in ordered[module]:
            for needed in _needed(entry, gathered, statements):
                if id(needed) not in defined and needed.module not in loading:
                    load(needed.module)
                if id(needed) not in defined:
                    name = needed.block.names[0] if needed.block.names else needed.block.of
                    message = f"importing this needs `{name}`, whose own import needs this ({needed.block.location})"
                    problems.append(Problem(entry.block.location, "import-cycle", message))
            defined.add(id(entry))

    for module in gathered.modules:
        if module not in loading:
            load(module)
