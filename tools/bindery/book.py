"""Reads the whole book, once: folder in, `Book` out, or all its problems."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from pathlib import Path

from bindery.model import Book, Chapter, Location, Problem, ProblemsFound, Section
from bindery.parse import Page, Toctree, read_page
from bindery.settings import Facts
from bindery.validate import check, hint, read_yaml

SUFFIXES = (".md", ".ipynb")


def read_book(root: Path) -> Book:
    """Read `chapters/` in reading order; raises `ProblemsFound` with everything that is wrong."""
    if not (root / "chapters" / "index.md").is_file():
        message = f"no book here: {root} has no chapters/index.md; give its folder with `--root`"
        raise ProblemsFound([Problem(Location("chapters/index.md", 1), "no-book", message)])
    facts, problems = _read_facts(root)
    pages, found = _read_pages(root / "chapters")
    if any(problem.rule == "encoding" for problem in found):
        raise ProblemsFound(problems + found)  # what is read of the order now would only mislead
    book, order_problems = _put_in_order(root, facts, pages)
    problems += found + order_problems
    if problems:
        raise ProblemsFound(problems)
    return book


def _read_facts(root: Path) -> tuple[Facts, list[Problem]]:
    path = "chapters/book.yml"
    empty = Facts(title="", version="0", authors=())
    if not (root / path).is_file():
        return empty, [Problem(Location(path, 1), "book-facts", "missing; it holds title, version and authors")]
    text, problems = _read_text(root / path, path)
    if problems:
        return empty, problems
    data, line_of, problems = read_yaml(text, path, 1, "book-facts")
    if problems:
        return empty, problems
    facts, found = check(Facts, {} if data is None else data, path, line_of, "book-facts")
    return facts or empty, found


def _read_text(file: Path, path: str) -> tuple[str, list[Problem]]:
    """The file's text, or the line on which it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8"), []
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return "", [Problem(Location(path, line), "encoding", f"not UTF-8: {error.reason}")]


def _read_pages(chapters: Path) -> tuple[dict[str, Page], list[Problem]]:
    """All pages under `chapters/` by docname."""
    pages: dict[str, Page] = {}
    problems: list[Problem] = []
    for file in sorted(chapters.rglob("*")):
        relative = file.relative_to(chapters).as_posix()
        hidden = any(part.startswith(".") for part in Path(relative).parts)
        if file.suffix not in SUFFIXES or hidden or not file.is_file():
            continue
        path = f"chapters/{relative}"
        text, found = _read_text(file, path)
        problems += found
        if found:
            continue
        page, found = read_page(path, text)
        problems += found
        name = relative.rsplit(".", 1)[0]
        if file.stem == "data" or "data" in name.split("/")[1:]:
            message = "nothing in a chapter can be called `data`: this is where sections find data sets; rename it"
            problems.append(Problem(Location(path, 1), "section-name", message))
        if name in pages:
            other = pages[name].section.path
            problems.append(Problem(Location(path, 1), "two-files", f"{other} has the same name; keep one"))
        pages[name] = page
    for name, page in pages.items():
        folder = name.rpartition("/")[0]
        if folder in pages:
            message = f"its folder has the name of the section {pages[folder].section.path}; rename one"
            problems.append(Problem(Location(page.section.path, 1), "section-name", message))
    return pages, problems


def _put_in_order(root: Path, facts: Facts, pages: dict[str, Page]) -> tuple[Book, list[Problem]]:
    """Follow the toctrees; number the chapters of the one numbered toctree and their sections."""
    problems: list[Problem] = []
    seen: dict[str, Location] = {"index": Location("chapters/index.md", 1)}
    index = pages["index"]
    numbered = [toctree for toctree in index.toctrees if toctree.numbered]
    if len(numbered) != 1:
        where = numbered[1].location if numbered else Location("chapters/index.md", index.section.line)
        message = f"{len(numbered)} toctrees are `:numbered:`; exactly one holds the chapters"
        problems.append(Problem(where, "numbered-toctree", message))
    chapters: list[Chapter] = []
    for toctree in index.toctrees:
        names = _resolve(toctree, "", pages, seen, problems)
        if toctree.numbered:
            for count, name in enumerate(names, 1):
                chapters.append(_read_chapter(name, str(count), pages, seen, problems))
        else:
            chapters += _group_by_folder([pages[name].section for name in names])
    problems += [
        Problem(cell.location, "code-place", "code on the book's opening page does not run; move it to a section")
        for cell in index.section.code
    ]
    openings = {"index", *(chapter.index.name for chapter in chapters if chapter.index)}
    for name, page in pages.items():
        if name not in seen:
            message = "in no toctree, so no reader would find it; list it or delete it"
            problems.append(Problem(Location(page.section.path, 1), "toctree-orphan", message))
        if name.rpartition("/")[2] != "index" or (numbered and name not in openings):
            message = "only the index.md of the book and of its numbered chapters holds a toctree"
            problems += [Problem(toctree.location, "toctree-place", message) for toctree in page.toctrees]
    folders = {chapter.folder for chapter in chapters}
    for part in facts.parts:
        problems += [
            Problem(
                Location("chapters/book.yml", 1),
                "book-facts",
                f"part `{part.title}` names `{name}`{hint(name, folders)}",
            )
            for name in part.chapters
            if name not in folders
        ]
    return Book(root, facts, index.section, tuple(chapters)), problems


def _resolve(
    toctree: Toctree, folder: str, pages: dict[str, Page], seen: dict[str, Location], problems: list[Problem]
) -> list[str]:
    """The docnames of a toctree's entries that exist."""
    names = []
    for entry, location in toctree.entries:
        target = entry[: -len(Path(entry).suffix)] if entry.endswith(SUFFIXES) else entry
        name = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        if name not in pages:
            message = f"`{entry}` has no file: chapters/{name}.md or .ipynb{hint(name, pages)}"
            problems.append(Problem(location, "toctree-missing", message))
        elif name in seen:
            problems.append(Problem(location, "toctree-twice", f"`{entry}` is already listed at {seen[name]}"))
        else:
            seen[name] = location
            names.append(name)
    return names


def _read_chapter(
    name: str, number: str, pages: dict[str, Page], seen: dict[str, Location], problems: list[Problem]
) -> Chapter:
    page = pages[name]
    folder = posixpath.dirname(name)
    names = [each for toctree in page.toctrees for each in _resolve(toctree, folder, pages, seen, problems)]
    sections = tuple(replace(pages[each].section, number=f"{number}.{count}") for count, each in enumerate(names, 1))
    return Chapter(folder, page.section.title, number, replace(page.section, number=number), sections)


def _group_by_folder(sections: list[Section]) -> list[Chapter]:
    """Unnumbered pages as chapters of one folder each, in reading order."""
    folders: dict[str, list[Section]] = {}
    for section in sections:
        folders.setdefault(section.chapter, []).append(section)
    return [
        Chapter(folder, folder.replace("-", " ").capitalize(), "", None, tuple(members))
        for folder, members in folders.items()
    ]
