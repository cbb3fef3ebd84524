"""Puts the saved blocks of a book together by name: book in, `Gathered` and problems out."""

from __future__ import annotations

import ast
import keyword
import unicodedata
from dataclasses import dataclass, field

from bindery.model import Book, Location, Problem
from bindery.saved import DEFINITIONS, SavedBlock, find_saved
from bindery.validate import hint


@dataclass(eq=False)
class Entry:
    """A saved definition, assignment or item with what later sections add to it; `module` is where it stands."""

    block: SavedBlock
    module: str
    place: int
    """How many of the book's blocks came before the last one that made it what it is."""
    extensions: list[SavedBlock] = field(default_factory=list)
    items: list[Entry] = field(default_factory=list)
    replaced: list[SavedBlock] = field(default_factory=list)
    """The blocks whose place `block` took, the first one first."""


@dataclass(frozen=True)
class Import:
    """One name that a saved import binds."""

    name: str
    source: str
    """The statement that binds just this name."""
    target: tuple[str, str]
    block: SavedBlock
    module: str


@dataclass
class Gathered:
    """All saved blocks of a book, by the module and the name they belong to."""

    modules: dict[str, str] = field(default_factory=dict)
    """Module name to the title of its chapter."""
    blocks: list[SavedBlock] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    by_name: dict[str, Entry] = field(default_factory=dict)
    imports: dict[str, list[Import]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """The library's names in book order."""


def gather(book: Book) -> tuple[Gathered, list[Problem]]:
    """Collect and name all saved blocks; every clash is a problem."""
    gathered = Gathered()
    problems: list[Problem] = []
    folders: dict[str, str] = {}
    for chapter in book.chapters:
        # Python normalises the names in import statements, and some file systems decompose those of folders.
        module = unicodedata.normalize("NFKC", chapter.folder).replace("-", "_").replace("/", "_")
        pages = [chapter.index] if chapter.index else []
        for section in (*pages, *chapter.sections):
            blocks, found = find_saved(section)
            problems += found
            message = ""
            if not module.isidentifier() or keyword.iskeyword(module):
                message = (
                    f"the folder `{chapter.folder or 'chapters'}` cannot name a module of the library; move the section"
                )
            elif blocks and folders.setdefault(module, chapter.folder) != chapter.folder:
                message = f"the folder `{folders[module]}` has the same module, `{module}`; rename one"
            if blocks and message:
                problems.append(Problem(blocks[0].location, "module-name", message))
            elif blocks:
                title = f"{chapter.title} (chapter {chapter.number})" if chapter.number else chapter.title
                gathered.modules.setdefault(module, title)
                for block in blocks:
                    _add(gathered, block, module, problems)
    _attach_items(gathered)
    for name in gathered.modules:
        known = [gathered.by_name[name].block] if name in gathered.by_name else []
        known += [each.block for each in gathered.imports.get(name, [])]
        message = f"`{name}` is also the name of a library module (a chapter's folder); rename one"
        problems += [Problem(block.location, "module-clash", message) for block in known]
    return gathered, problems


def _add(gathered: Gathered, block: SavedBlock, module: str, problems: list[Problem]) -> None:
    place = len(gathered.blocks)
    gathered.blocks.append(block)
    reserved = [name for name in block.names if name in ("d2l", "_HOMES") or _is_special(name)]
    if reserved and block.kind != "extension":
        message = f"`{reserved[0]}` cannot be saved: the library itself uses this name"
        problems.append(Problem(block.location, "save-kind", message))
    elif block.kind == "import":
        _add_imports(gathered, block, module, problems)
    elif block.kind == "extension":
        entry = gathered.by_name.get(block.of)
        if entry and isinstance(entry.block.statement, ast.ClassDef):
            entry.extensions.append(block)
            entry.place = place
        else:
            known = [name for name, each in gathered.by_name.items() if isinstance(each.block.statement, ast.ClassDef)]
            message = f"`{block.of}` is not a saved class{hint(block.of, known)}"
            problems.append(Problem(block.location, "unknown-class", message))
    elif block.kind == "item":
        gathered.entries.append(Entry(block, module, place))
    elif block.override:
        _override(gathered, block, problems)
    else:
        entry = Entry(block, module, place)
        gathered.entries.append(entry)
        for name in block.names:
            _claim(gathered, name, block.location, problems)
            gathered.by_name.setdefault(name, entry)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _claim(gathered: Gathered, name: str, location: Location, problems: list[Problem]) -> None:
    """Say so if a name is taken."""
    if name in gathered.by_name:
        other = gathered.by_name[name].block.location
    elif name in gathered.imports:
        other = gathered.imports[name][0].block.location
    else:
        gathered.order.append(name)
        return
    message = f"`{name}` is already saved at {other}; rename one, or replace a function with `#@save override`"
    problems.append(Problem(location, "duplicate-name", message))


def _override(gathered: Gathered, block: SavedBlock, problems: list[Problem]) -> None:
    """Let a function take the place of the one it replaces."""
    entry = gathered.by_name.get(block.names[0])
    if entry and isinstance(entry.block.statement, DEFINITIONS) and not isinstance(entry.block.statement, ast.ClassDef):
        entry.replaced.append(entry.block)
        entry.block, entry.place = block, len(gathered.blocks) - 1
    else:
        message = f"no saved function `{block.names[0]}` exists to override; write `#@save`"
        problems.append(Problem(block.location, "override", message))


def _add_imports(gathered: Gathered, block: SavedBlock, module: str, problems: list[Problem]) -> None:
    statement = block.statement
    assert isinstance(statement, ast.Import | ast.ImportFrom)  # what makes a block an import
    for alias in statement.names:
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(statement, ast.ImportFrom):
            source = f"from {statement.module} import {alias.name}{renamed}"
            target = (statement.module or "", alias.name)
        else:
            source = f"import {alias.name}{renamed}"
            target = (alias.name if alias.asname else alias.name.split(".")[0], "")
        name = alias.asname or alias.name.split(".")[0]
        here = Import(name, source, target, block, module)
        others = gathered.imports.get(name, [])
        if name in gathered.by_name or (others and others[0].target != target):
            other = gathered.by_name[name].block if name in gathered.by_name else others[0].block
            message = f"`{name}` is bound to something else at {other.location}; import it under another name"
            problems.append(Problem(block.location, "import-clash", message))
            continue
        if not others:
            gathered.order.append(name)
        gathered.imports.setdefault(name, []).append(here)


def _attach_items(gathered: Gathered) -> None:
    """Let each `NAME[…] = …` belong to NAME; a NAME that does not exist is found with all other undefined names."""
    for entry in gathered.entries:
        owner = gathered.by_name.get(entry.block.of) if entry.block.kind == "item" else None
        if owner:
            owner.items.append(entry)
