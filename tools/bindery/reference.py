"""Writes the pages about the library, by name, by module and a list: library in, pages for Sphinx out. Pure."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from bindery.library import Definition, Library
from bindery.model import Book, Section
from bindery.saved import SavedBlock
from bindery.symbols import uses_of_cells

FOLDER = "library"
"""Where the pages stand, beside the chapters' folders."""

ORPHAN = "---\norphan: true\n---\n"
"""The pages are reached from code, from the index and from the search, not by turning pages."""

QUOTED = re.compile(r"(``[^`]+``|`[^`]+`)")
MARKUP = re.compile(r"([\\*_\[\]{}<>$#|~^!-])")

Functions = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Entry:
    """A name of the library as readers look it up."""

    name: str
    definition: Definition
    statement: ast.stmt
    """As the library holds it: a class has the methods that other sections gave it."""
    blocks: tuple[SavedBlock, ...]
    """All that makes it, in the order of the book."""
    users: tuple[Section, ...]
    """Sections whose code names it, that of its definition left out."""

    @property
    def page(self) -> str:
        """What Sphinx calls its page. Names that differ in capitals only may share a folder on no file system."""
        return f"{FOLDER}/{self.definition.module}/{self.name}"

    @property
    def purpose(self) -> str:
        """The first paragraph of its docstring."""
        return " ".join(_docstring(self.statement).split("\n\n")[0].split())


def reference_pages(book: Book, library: Library) -> dict[str, bytes]:
    """The pages by relative path; none for a book without saved definitions."""
    entries = list(entries_of(book, library))
    if not entries:
        return {}
    modules: dict[str, list[Entry]] = {}
    for entry in entries:
        modules.setdefault(entry.definition.module, []).append(entry)
    pages = {f"{FOLDER}/index.md": _index(book, modules)}
    names = frozenset(entry.name for entry in entries)
    for module, found in modules.items():
        pages[f"{FOLDER}/{module}.md"] = _module_page(book, module, found)
        pages |= {f"{entry.page}.md": _page(entry, names) for entry in found}
    return {path: text.encode() for path, text in pages.items()}


def entries_of(book: Book, library: Library) -> Iterator[Entry]:
    """The names that readers look up, in the order of the book: all but imports."""
    users = users_of(book)
    trees = {path: ast.parse(text) for path, text in library.files.items() if path.endswith(".py")}
    for name, definition in library.definitions.items():
        if definition.block.kind == "import" or name.startswith("_"):
            continue
        statement = _statement(trees[f"d2l/torch/{definition.module}.py"], name)
        blocks = [block for block in library.blocks if name in (block.of, *([] if block.of else block.names))]
        home = definition.block.section.path
        used = tuple(section for section in users.get(name, ()) if section.path != home)
        yield Entry(name, definition, statement or definition.block.statement, tuple(blocks), used)


def users_of(book: Book) -> dict[str, list[Section]]:
    """For every name of the library the sections whose code has it, in the order of the book."""
    found: dict[str, list[Section]] = {}
    for section in book.sections():
        for name in uses_of_cells(cell.source for cell in section.code).names:
            found.setdefault(name, []).append(section)
    return found


def section_link(section: Section) -> str:
    """A reference to a section, as Markdown."""
    return f"{{ref}}`{section.label}`" if section.label else f"[{section.title}](/{section.name})"


def listed(parts: Iterable[str]) -> str:
    """Things in a sentence: `a`, `a and b`, `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _index(book: Book, modules: Mapping[str, list[Entry]]) -> str:
    lines = [
        f"{ORPHAN}",
        "# The library, name by name",
        "",
        "Every name of `d2l`, by the chapter that teaches it. Each has a page with arguments, source and the",
        "sections that use it; what a chapter adds is also on one page.",
    ]
    for module, found in modules.items():
        title = _chapter_title(book, module)
        lines += ["", f"## {title}", "", f"All on one page: [`d2l.torch.{module}`](/{FOLDER}/{module}).", ""]
        lines += ["```{list-table}", ":widths: 32 48 20", ":header-rows: 1", ""]
        lines += ["* - Name", "  - What it is", "  - Taught in"]
        for entry in found:
            lines += [f"* - {{py:obj}}`d2l.{entry.name}`", f"  - {_text(entry.purpose)}"]
            lines += [f"  - {section_link(entry.definition.block.section)}"]
        lines += ["```"]
    return "\n".join(lines) + "\n"


def _chapter_title(book: Book, module: str) -> str:
    """What the chapter of a module is called."""
    titles = {chapter.folder.replace("-", "_"): chapter.title for chapter in book.chapters}
    return titles.get(module, module)


def _module_page(book: Book, module: str, entries: Iterable[Entry]) -> str:
    """All names of a module with their arguments and docstrings; what else is known of each is on its own page."""
    lines = [
        f"{ORPHAN}# `d2l.torch.{module}`",
        "",
        f"What the chapter “{_chapter_title(book, module)}” adds to the library, in the order in which it is taught.",
        "`from d2l import torch as d2l` brings all of it.",
    ]
    for _, found in groupby(entries, key=lambda entry: entry.definition.block.section.path):
        first, *others = found
        section = first.definition.block.section
        lines += ["", f"## [{section.title}](/{section.name})"]
        for entry in (first, *others):
            lines += ["", *_described(entry.name, entry.statement, twice=True), ""]
            lines += [f"[Source and uses](/{entry.page})"]
    return "\n".join(lines) + "\n"


def _page(entry: Entry, names: frozenset[str]) -> str:
    block, statement = entry.definition.block, entry.statement
    lines = [f"{ORPHAN}# `d2l.{entry.name}`", "", *_described(entry.name, statement), "", "## In the book", ""]
    lines += [f"- Taught in {section_link(block.section)}; in the library in"]
    lines += [f"  [`d2l.torch.{entry.definition.module}`](/{FOLDER}/{entry.definition.module})."]
    later = {each.section.name: each.section for each in entry.blocks if each.section.path != block.section.path}
    if later:
        lines += [f"- Extended in {listed(map(section_link, later.values()))}."]
    if entry.users:
        lines += [f"- Used in {listed(map(section_link, entry.users))}."]
    needed = sorted((entry.definition.uses & names) - {entry.name})
    if needed:
        lines += [f"- It uses {listed(f'{{py:obj}}`d2l.{name}`' for name in needed)}."]
    lines += ["", "## Source", ""]
    for _, run in groupby(entry.blocks, key=lambda block: block.section.path):
        first, *others = run
        source = "\n\n".join([first.source, *(other.source for other in others)])
        lines += [f"From {section_link(first.section)}:", "", "````python", source, "````", ""]
    return "\n".join(lines)


def _described(name: str, statement: ast.stmt, twice: bool = False) -> list[str]:
    """The description of a name as a directive of Sphinx's Python domain, methods inside.

    One that stands on another page, too, is not what links to the name lead to.
    """
    text, quiet = _paragraphs(_docstring(statement)), [":no-index:"] if twice else []
    if isinstance(statement, ast.ClassDef):
        methods = [each for each in statement.body if isinstance(each, Functions)]
        start = next((each for each in methods if each.name == "__init__"), None)
        signature = _signature(start, bound=True) if start else ""
        lines = [f"::::{{py:class}} d2l.{name}{signature}", *quiet, "", *text]
        for method in methods:
            if method.name != "__init__" or _docstring(method):
                lines += ["", f":::{{py:method}} {method.name}{_signature(method, bound=True)}", *quiet, ""]
                lines += [*_paragraphs(_docstring(method)), ":::"]
        return [*lines, "::::"]
    kind = f"function}} d2l.{name}{_signature(statement)}" if isinstance(statement, Functions) else f"data}} d2l.{name}"
    return [f":::{{py:{kind}", *quiet, "", *text, ":::"]


def _signature(function: Functions, bound: bool = False) -> str:
    """Its arguments with their defaults, annotations left out; of a method without `self`."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    for argument in every:
        if argument:
            argument.annotation = None
    static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in function.decorator_list)
    text = ast.unparse(arguments)
    return f"({text.partition(', ')[2] if bound and not static else text})"


def _statement(tree: ast.Module, name: str) -> ast.stmt | None:
    """The statement of a module that defines a name."""
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef | Functions):
            if statement.name == name:
                return statement
        elif isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in statement.targets
        ):
            return statement
    return None


def _docstring(statement: ast.stmt) -> str:
    if isinstance(statement, ast.ClassDef | Functions):
        return ast.get_docstring(statement) or ""
    return ""


def _paragraphs(docstring: str) -> list[str]:
    """A docstring, which is plain text, as Markdown."""
    return _text(inspect.cleandoc(docstring)).split("\n")


def _text(plain: str) -> str:
    """Plain text as Markdown; what stands in backquotes is code there, too."""
    parts = QUOTED.split(plain)
    return "".join(part if QUOTED.fullmatch(part) else MARKUP.sub(r"\\\1", part) for part in parts)


def saved_notes(blocks: Iterable[SavedBlock], users: Mapping[str, list[Section]]) -> str:
    """What a reader is told beside saved code: its name in the library, and who uses it."""
    found: dict[str, list[Section]] = {}
    for block in blocks:
        if block.kind != "import":
            for name in (block.of,) if block.of else block.names:
                found.setdefault(name, [each for each in users.get(name, ()) if each.path != block.section.path])
    return "; ".join(
        f"{{py:obj}}`d2l.{name}`" + (f", used in {listed(map(short_link, used))}" if used else "")
        for name, used in found.items()
    )


def short_link(section: Section) -> str:
    """A reference to a section by its number, as Markdown; by its title if it has none."""
    return f"{{numref}}`{{number}} <{section.label}>`" if section.number and section.label else section_link(section)
